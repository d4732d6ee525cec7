"""The frozen values of the forge: callers, requests, and the events that GitHub would send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ACTIONS_BOT_ID = 41898282
ACTIONS_BOT_LOGIN = "github-actions[bot]"
ACTIONS_APP_ID = 15368
ZERO = "0" * 40
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
BODY_LIMIT = 65_536
DESCRIPTION_LIMIT = 140
LABEL_LIMIT = 50
TITLE_LIMIT = 256

Body = dict[str, object]


@dataclass(frozen=True)
class User:
    """A person, a bot or an organisation; `id` is the database id."""

    id: int
    login: str
    type: str = "User"

    @property
    def node_id(self) -> str:
        """The GraphQL id."""
        prefix = {"User": "U", "Bot": "BOT", "Organization": "O"}[self.type]
        return f"{prefix}_{self.id}"

    @property
    def short_login(self) -> str:
        """The login as GraphQL shows it: a bot without its `[bot]`."""
        return self.login.removesuffix("[bot]")

    @property
    def email(self) -> str:
        """The address GitHub writes into commits it makes for this identity."""
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(frozen=True)
class App:
    """A GitHub App, installed on every repository of the forge unless a token is narrower."""

    id: int
    slug: str
    permissions: Mapping[str, str]
    bot: User
    installation_id: int

    @property
    def private_key(self) -> str:
        """PEM of the App's RSA key, which signs the JWT of its requests for tokens."""
        return _private_key(self.slug)


@cache
def _private_key(slug: str) -> str:  # noqa: ARG001 - what it is kept by
    """A new RSA key in PEM, kept for the Apps of this name in this process: making one takes long."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@dataclass(frozen=True)
class Token:
    """A token. `permissions` None: all those of the person; `repositories` None: all repositories."""

    value: str
    kind: str
    user: User
    repositories: frozenset[str] | None = None
    permissions: Mapping[str, str] | None = None
    expires: float | None = None
    app: App | None = None

    @property
    def is_integration(self) -> bool:
        """True for GITHUB_TOKEN and App tokens, which have only the listed permissions."""
        return self.kind in ("actions", "app")


ANONYMOUS = Token(
    value="", kind="anonymous", user=User(0, "", "User"), permissions={}, repositories=frozenset()
)


@dataclass(frozen=True)
class Event:
    """A webhook event; `swallowed` ones start no workflow, for `reason`.

    `ref` and `sha` are what GITHUB_REF and GITHUB_SHA would be (for pull requests `sha` is the head),
    `paths` the changed files, `run` the id of the run a workflow_dispatch made.
    """

    n: int
    repository: str
    name: str
    action: str | None
    ref: str
    sha: str
    actor: str
    payload: Body
    swallowed: bool = False
    reason: str = ""
    paths: tuple[str, ...] = ()
    run: int | None = None


@dataclass(frozen=True)
class Call:
    """One request, as the server saw it; `status` 0 means the connection was dropped, `agent` is its User-Agent."""

    n: int
    method: str
    path: str
    query: str
    status: int
    login: str
    write: bool
    operation: str = ""
    mutations: tuple[str, ...] = ()
    agent: str = ""


@dataclass(frozen=True)
class CheckRun:
    """A check run; `conclusion` is None until it is completed, `app` is the slug of the App that made it."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    app: str
    started_at: str


@dataclass(frozen=True)
class Status:
    """A commit status."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    creator: User
    app_id: int | None
    created_at: str


@dataclass(frozen=True)
class DeploymentStatus:
    """One state of a deployment."""

    id: int
    state: str
    description: str
    environment: str
    log_url: str
    environment_url: str
    creator: User
    created_at: str


@dataclass(frozen=True)
class Rules:
    """One ruleset (or classic protection) for the refs that `pattern` names."""

    id: int
    name: str
    pattern: str
    pull_request: bool = False
    approvals: int = 0
    dismiss_stale: bool = False
    statuses: tuple[tuple[str, int | None], ...] = ()
    strict: bool = False
    bypass: frozenset[str] = frozenset()
    creation: bool = False
    deletion: bool = False
    non_fast_forward: bool = False
    merge_queue: bool = False
    classic: bool = False
    bypass_roles: tuple[int, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Settings of a repository that change the API's responses."""

    allow_auto_merge: bool = True
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    delete_branch_on_merge: bool = False
    actions_may_write_pull_requests: bool = True
    disabled_workflows: tuple[str, ...] = ()  # file names
    immutable_releases: bool = False


@dataclass(frozen=True)
class Activity:
    """One line of the repository's activity: who moved which ref."""

    id: int
    ref: str
    before: str
    after: str
    type: str
    actor: User
    timestamp: str


@dataclass(frozen=True)
class Run:
    """A workflow run, as the lab registered it."""

    id: int
    workflow: str
    event: str
    ref: str
    sha: str
    actor: User
    attempt: int
    status: str
    conclusion: str | None
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Variable:
    """An Actions variable."""

    name: str
    value: str
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Environment:
    """A GitHub Environment."""

    id: int
    name: str
    created_at: str
    branches: tuple[str, ...] = ()
    variables: dict[str, Variable] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asset:
    """A file of a release."""

    id: int
    name: str
    label: str
    content_type: str
    content: bytes = field(repr=False)
    digest: str
    uploader: User
    created_at: str
