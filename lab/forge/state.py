"""The forge's records besides Git: in memory, behind one lock (`World.lock`)."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path

from lab.forge import git_write
from lab.forge.git_moves import Move
from lab.forge.git_objects import Commit, Signature
from lab.forge.git_store import Store
from lab.forge.limits import ContentLimit, Replica
from lab.forge.records import Deployment, Label, PullRequest, Release, Thread
from lab.forge.refusal import invalid
from lab.forge.values import (
    ACTIONS_BOT_ID,
    ACTIONS_BOT_LOGIN,
    LABEL_LIMIT,
    Activity,
    App,
    Call,
    CheckRun,
    Environment,
    Event,
    Rules,
    Run,
    Settings,
    Status,
    Token,
    User,
    Variable,
)

WEB_FLOW_EMAIL = "noreply@github.com"
WEB_FLOW = User(19864447, "web-flow")  # GitHub's own account, with the id that it has there


@dataclass(eq=False)
class Repository:
    """A repository: the bare one at `path`, and everything GitHub keeps beside Git."""

    id: int
    owner: User
    name: str
    path: Path
    default_branch: str
    private: bool
    world: World
    parent: Repository | None = None
    settings: Settings = field(default_factory=Settings)
    collaborators: dict[str, str] = field(default_factory=dict)
    rules: list[Rules] = field(default_factory=list)
    threads: dict[int, Thread] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    check_runs: list[CheckRun] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    activity: list[Activity] = field(default_factory=list)
    burned_tags: set[str] = field(default_factory=set)
    queue_tokens: dict[int, Token] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """owner/name."""
        return f"{self.owner.login}/{self.name}"

    @cached_property
    def store(self) -> Store:
        """Its Git."""
        return Store(self.path)

    @property
    def pulls(self) -> list[PullRequest]:
        """All pull requests, oldest first."""
        return [thread for thread in self.threads.values() if isinstance(thread, PullRequest)]

    def head(self, branch: str) -> str:
        """The commit a branch points to; KeyError when there is no such branch."""
        sha = self.store.ref(f"refs/heads/{branch}")
        if sha is None:
            raise KeyError(f"{self.full_name} has no branch {branch}")
        return sha

    def read(self, ref: str, path: str) -> bytes:
        """The bytes of a file at a branch, tag or commit; KeyError when it is not there."""
        commit = self.store.commit_of(ref)
        blob = self.store.at(commit, path) if commit else None
        if blob is None:
            raise KeyError(f"{self.full_name} has no {path} at {ref}")
        return self.store.object(blob)

    def log(self, ref: str) -> list[Commit]:
        """The commits of a branch, tag or commit, newest first."""
        return [self.store.commit(sha) for sha in self.store.rev_list(self.store.commit_of(ref) or ref)]

    def seed(
        self, files: Mapping[str, bytes | str | None], message: str = "Add files", branch: str = ""
    ) -> str:
        """Commit files directly to a branch, without rules and events. Its sha."""
        name = f"refs/heads/{branch or self.default_branch}"
        with self.world.lock:
            head = self.store.ref(name) or self.store.ref(f"refs/heads/{self.default_branch}")
            contents = {
                path: text.encode() if isinstance(text, str) else text for path, text in files.items()
            }
            tree = git_write.tree_with(self.store, head, contents)
            by = Signature(self.owner.login, self.owner.email, self.world.now())
            sha = git_write.commit(self.store, tree, [head] if head else [], message, by)
            self.store.move([Move(name, sha)])
            return sha


class World:
    """All records of one forge. Everything that reads or writes them holds `lock`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = ""
        self.lock = threading.RLock()
        self.news = threading.Condition(self.lock)
        self.shift = 0.0
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.teams: dict[str, dict[str, str]] = {}  # `org/slug` -> login -> active or pending
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.runs: dict[int, tuple[Repository, Run]] = {}
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.unknown_routes: list[tuple[str, str]] = []
        self.signed: set[str] = set()
        # Called when a branch (name without refs/heads/) has moved to a commit, ZERO when it was deleted.
        self.followers: list[Callable[[Repository, Token, str, str], None]] = []
        self.content_limit = ContentLimit()
        self.replica = Replica()
        self._ids: Iterator[int] = itertools.count(1001)
        self.actions_bot = User(ACTIONS_BOT_ID, ACTIONS_BOT_LOGIN, "Bot")
        self.users[ACTIONS_BOT_LOGIN] = self.actions_bot

    def next_id(self) -> int:
        """A new database id."""
        new = next(self._ids)
        self.replica.created(new)
        return new

    def seconds(self) -> float:
        """The forge's clock, in seconds since the epoch."""
        return time.time() + self.shift

    def now(self) -> str:
        """The forge's clock, as GitHub writes it."""
        return datetime.fromtimestamp(self.seconds(), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def find(self, full_name: str) -> Repository | None:
        """A repository by owner/name, whatever the case."""
        return self.repositories.get(full_name.lower())

    def user(self, login: str) -> User | None:
        """A person, bot or organisation by exact login, whatever the case."""
        return next((user for user in self.users.values() if user.login.lower() == login.lower()), None)

    def person_of(self, email: str) -> User | None:
        """The account a commit's address belongs to: GitHub's private addresses, with or without the id."""
        if email == WEB_FLOW_EMAIL:
            return WEB_FLOW
        name = email.removesuffix("@users.noreply.github.com") if email.endswith(".github.com") else ""
        return self.user(name.partition("+")[2] or name) if name else None

    def signature(self, user: User) -> Signature:
        """How this identity signs a commit made by the API now."""
        return Signature(user.login, user.email, self.now())

    def web_flow(self) -> Signature:
        """The committer of all commits by GitHub itself."""
        return Signature("GitHub", WEB_FLOW_EMAIL, self.now())


def next_number(repository: Repository) -> int:
    """The number of the next issue or pull request."""
    return max(repository.threads, default=0) + 1


def add_label(
    repository: Repository, name: str, color: str = "ededed", description: str | None = None
) -> Label:
    """The label of this name (case does not matter), made when missing; 422 for more than 50 characters."""
    if len(name) > LABEL_LIMIT:
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
    key = name.lower()
    if key not in repository.labels:
        repository.labels[key] = Label(repository.world.next_id(), name, color, description)
    return repository.labels[key]
