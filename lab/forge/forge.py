"""The forge: a GitHub small enough to start in a second, over bare repositories in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from lab.forge import accounts, ci_shapes, events, following, git_http
from lab.forge.faults import Faults, How
from lab.forge.server import Server
from lab.forge.state import Repository, World
from lab.forge.values import (
    ANONYMOUS,
    App,
    Body,
    Call,
    CheckRun,
    Environment,
    Event,
    Rules,
    Run,
    Settings,
    User,
    Variable,
)


class Forge:
    """`with Forge(folder) as forge:` serves REST (`/`, `/api/v3`), GraphQL (`/graphql`) and git (`/owner/name`)."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.world = World(root.resolve())
        self.world.followers.append(following.follow)
        self._faults = Faults()
        self._server = Server(self.world, self._faults)
        self._feed = events.Feed(self.world)

    def start(self) -> Forge:
        """Listen on a free port of 127.0.0.1."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening; the repositories stay on disk."""
        self._server.stop()
        for repo in self.world.repositories.values():
            repo.store.reader.close()

    def __enter__(self) -> Forge:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT"""
        return self.world.url

    def repository(self, full_name: str, default_branch: str = "main", private: bool = False) -> Repository:
        """Make an empty repository; its owner is an organisation unless that login is known."""
        owner, name = full_name.split("/")
        with self.world.lock:
            account = self.world.user(owner) or self.user(owner, "Organization")
            path = self.world.root / owner / f"{name}.git"
            git_http.create(path, default_branch)
            repo = Repository(self.world.next_id(), account, name, path, default_branch, private, self.world)
            self.world.repositories[full_name.lower()] = repo
            return repo

    def fork(self, full_name: str, login: str) -> Repository:
        """A fork of a repository, owned by a person, with all its branches."""
        parent = self._repo(full_name)
        self.user(login)
        fork = self.repository(f"{login}/{parent.name}", parent.default_branch, parent.private)
        fork.parent = parent
        fork.store.git("fetch", "--quiet", str(parent.path), "+refs/heads/*:refs/heads/*")
        return fork

    def settings(self, full_name: str, **changes: Any) -> None:
        """Change settings of a repository: see `Settings`."""
        repo = self._repo(full_name)
        repo.settings = replace(repo.settings, **changes)

    def user(self, login: str, type: str = "User") -> User:
        """The account of this login, made when missing."""
        return accounts.user(self.world, login, type)

    def app(self, slug: str, permissions: Mapping[str, str]) -> App:
        """A GitHub App with its bot `slug[bot]`, installed on every repository."""
        return accounts.app(self.world, slug, permissions)

    def token(
        self,
        login: str,
        kind: str = "pat",
        repositories: Iterable[str] | None = None,
        permissions: Mapping[str, str] | None = None,
        expires: float | None = None,
    ) -> str:
        """A new token.

        `pat`: the person's permissions, limited by `permissions` when given. `actions`: GITHUB_TOKEN, acts as
        github-actions[bot] in the one repository, `contents: read` by default. `app`: `login` is the App's
        slug. `anonymous`: "". `expires` is seconds since the epoch.
        """
        if kind == "anonymous":
            return ""
        limit = None if repositories is None else frozenset(name.lower() for name in repositories)
        return accounts.token(self.world, login, kind, limit, permissions, expires)

    def collaborator(self, full_name: str, login: str, role: str) -> None:
        """Give a person a role: read, triage, write, maintain, admin; or none."""
        self.user(login)
        repo = self._repo(full_name)
        if role == "none":
            repo.collaborators.pop(login, None)
        else:
            repo.collaborators[login] = role

    def check_run(self, full_name: str, sha: str, name: str, app: str, conclusion: str | None) -> None:
        """Make a check run on a commit by a third-party App; without a conclusion it is still in progress."""
        repo = self._repo(full_name)
        status = "in_progress" if conclusion is None else "completed"
        at = self.world.now()
        repo.check_runs.append(CheckRun(self.world.next_id(), sha, name, status, conclusion, app, at))

    def team(self, name: str, logins: Iterable[str], state: str = "active") -> None:
        """Put people into a team `org/slug`; `pending` are those who have not accepted yet."""
        with self.world.lock:
            members = self.world.teams.setdefault(name.lower(), {})
            members.update(dict.fromkeys(logins, state))

    def protect(
        self,
        full_name: str,
        branch: str = "~DEFAULT_BRANCH",
        *,
        require_pull_request: bool = False,
        approvals: int = 0,
        dismiss_stale: bool = False,
        required_statuses: Iterable[tuple[str, int | None]] = (),
        strict: bool = False,
        bypass_apps: Iterable[str] = (),
        restrict_creation: bool = False,
        restrict_deletion: bool = False,
        no_force_push: bool = False,
        merge_queue: bool = False,
        classic: bool = False,
        bypass_roles: Iterable[int] = (),
    ) -> Rules:
        """Add a ruleset for refs matching `branch` (a name, a pattern, or `refs/tags/v*`).

        `bypass_roles`: GitHub's ids of repository roles (2 maintain, 4 write, 5 admin), without effect here.
        `restrict_creation`: only `bypass_apps` (slugs, or logins of people) create, update and delete.
        """
        with self.world.lock:
            number = self.world.next_id()
            rules = Rules(
                number, f"rules-{number}", branch, require_pull_request, approvals, dismiss_stale,
                tuple(required_statuses), strict, frozenset(bypass_apps), restrict_creation,
                restrict_deletion or restrict_creation, no_force_push, merge_queue, classic,
                tuple(bypass_roles),
            )  # fmt: skip
            self._repo(full_name).rules.append(rules)
            return rules

    def environment(self, full_name: str, name: str, branches: Iterable[str] = ()) -> None:
        """Make a GitHub Environment, limited to branches when given."""
        now = self.world.now()
        environment = Environment(self.world.next_id(), name, now, tuple(branches))
        self._repo(full_name).environments[name] = environment

    def variable(self, full_name: str, name: str, value: str, environment: str = "") -> None:
        """Set an Actions variable of a repository, or of one of its Environments."""
        now = self.world.now()
        repo = self._repo(full_name)
        held = repo.environments[environment].variables if environment else repo.variables
        held[name.upper()] = Variable(name.upper(), value, now, now)

    def secret(self, full_name: str, name: str, environment: str = "") -> None:
        """Add a secret to a repository or to one of its Environments. Its value is never read."""
        repo = self._repo(full_name)
        held = repo.environments[environment].secrets if environment else repo.secrets
        held[name.upper()] = self.world.now()

    def fail(self, method: str, path: str, nth: int | None = 1, how: How = 500) -> None:
        """Plan a fault for the `nth` (from 1; None: every) call with this method ("*": any) and path.

        `path` is a regular expression searched in the path without /api/v3; GraphQL mutations look like
        `/graphql#createCommitOnBranch`. `how`: a status; "reset" (cut before doing it); "timeout" (never
        answer); "after" (do it, then cut); "rate-limit"; "secondary"; "base-modified"; or
        `{"status": .., "headers": .., "body": ..}`.
        """
        self._faults.add(method, path, nth, how)

    def limit_content(self, per_minute: int = 80, per_hour: int = 500) -> None:
        """Refuse more than so many requests that create content, as GitHub does; see `ContentLimit`."""
        self.world.content_limit.per_minute, self.world.content_limit.per_hour = per_minute, per_hour

    def lag(self, reads: int) -> None:
        """Let the first reads of each new object miss it: a read-after-write delay, without a clock."""
        self.world.replica.lag(reads)

    def heal(self) -> None:
        """Remove all planned faults."""
        self._faults.clear()

    def advance(self, seconds: float) -> None:
        """Move the forge's clock forward, for soaks and expiry."""
        self.world.shift += seconds

    def run_started(
        self,
        full_name: str,
        workflow: str,
        event: str,
        ref: str,
        sha: str,
        actor: str,
        attempt: int = 1,
        run: int | None = None,
    ) -> int:
        """Register a workflow run in progress; its id. `run`: the one that a dispatch made, or a re-run."""
        with self.world.lock:
            number, now = run or self.world.next_id(), self.world.now()
            started = Run(
                number, workflow, event, ref, sha, self.user(actor), attempt, "in_progress", None, now, now
            )
            self.world.runs[number] = (self._repo(full_name), started)
            return number

    def run_finished(self, run_id: int, conclusion: str) -> None:
        """Close a run and send `workflow_run` completed."""
        with self.world.lock:
            repo, run = self.world.runs[run_id]
            run = replace(run, status="completed", conclusion=conclusion, updated_at=self.world.now())
            self.world.runs[run_id] = (repo, run)
            body: Body = {"workflow_run": ci_shapes.run(events.links(self.world), repo, run)}
            events.emit(repo, "workflow_run", None, body, action="completed", run=run_id)

    @property
    def events(self) -> list[Event]:
        """Every event so far."""
        with self.world.lock:
            return list(self.world.events)

    def next_event(self, timeout: float) -> Event | None:
        """The next event that was not taken before; None after `timeout` seconds without one."""
        return self._feed.next(timeout)

    def drain_events(self) -> list[Event]:
        """All events that were not taken before."""
        return self._feed.drain()

    @property
    def calls(self) -> list[Call]:
        """Every request so far, in the order of their answers."""
        with self.world.lock:
            return list(self.world.calls)

    @property
    def unknown_routes(self) -> list[tuple[str, str]]:
        """(method, path) of every REST call that no route knows."""
        with self.world.lock:
            return list(self.world.unknown_routes)

    def _repo(self, full_name: str) -> Repository:
        repo = self.world.find(full_name)
        if repo is None:
            raise KeyError(f"the forge has no repository {full_name}")
        return repo


__all__ = ["ANONYMOUS", "Forge", "Settings"]
