"""The records of a repository that change: deployments, issues and pull requests, reviews, releases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.forge.values import Asset, DeploymentStatus, Token, User

if TYPE_CHECKING:
    from lab.forge.state import Repository


@dataclass(eq=False)
class Deployment:
    """A deployment; `payload` is kept as sent."""

    id: int
    repository: Repository
    sha: str
    ref: str
    task: str
    payload: object
    environment: str
    description: str | None
    transient: bool
    production: bool
    creator: User
    created_at: str
    updated_at: str
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(eq=False)
class Comment:
    """A comment on an issue or pull request."""

    id: int
    thread: Thread
    body: str
    user: User
    created_at: str
    updated_at: str
    reactions: list[tuple[int, User, str]] = field(default_factory=list)


@dataclass(eq=False)
class Label:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass(eq=False)
class Labeling:
    """A label that was given, by whom and when; it stays when the label is taken off again."""

    id: int
    label: Label
    actor: User
    created_at: str


@dataclass(eq=False)
class Review:
    """A review of a pull request, bound to the head it was given on."""

    id: int
    pull: PullRequest
    user: User
    state: str
    body: str
    sha: str
    submitted_at: str | None


@dataclass(eq=False)
class AutoMerge:
    """A request to merge as soon as the rules allow it, acting as the one who enabled it."""

    token: Token
    method: str
    title: str | None
    body: str | None
    enabled_at: str


@dataclass(eq=False, kw_only=True)
class Thread:
    """An issue, or the issue side of a pull request."""

    id: int
    number: int
    repository: Repository
    title: str
    body: str | None
    author: User
    created_at: str
    updated_at: str
    open: bool = True
    closed_at: str | None = None
    labels: list[Label] = field(default_factory=list)
    labelings: list[Labeling] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[tuple[int, User, str]] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class PullRequest(Thread):
    """A pull request; `head_sha` and `base_sha` are kept when the branches are gone."""

    head_repository: Repository
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: str | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    reviewers: list[User] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    auto_merge: AutoMerge | None = None
    asked: tuple[str, str] | None = None
    tried: tuple[tuple[str, str], str | None] | None = None
    queued: str | None = None

    @property
    def state(self) -> str:
        """OPEN, CLOSED or MERGED."""
        return "MERGED" if self.merged_at else "OPEN" if self.open else "CLOSED"


@dataclass(eq=False)
class Release:
    """A release; a draft has no tag yet."""

    id: int
    repository: Repository
    tag: str
    target: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    author: User
    created_at: str
    published_at: str | None = None
    latest: str = "true"
    assets: list[Asset] = field(default_factory=list)
