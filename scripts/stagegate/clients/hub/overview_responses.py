"""Responses of the overview's queries, and the values that they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.response import ObjectId, PageInfo
from stagegate.clients.hub.values import Status
from stagegate.model import trailers


class ReleaseTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag by its short name, its commit, when it was made (RFC 3339), and the newest statuses of the commit."""

    name: str
    commit: str
    at: str
    statuses: tuple[Status, ...] = ()


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A commit in the log of a branch; `author` as the commit names them, `pulls` those that brought it."""

    sha: str
    parents: tuple[str, ...]
    subject: str
    at: str
    author: str = ""
    pulls: tuple[int, ...] = ()


class BranchPull(msgspec.Struct, frozen=True, kw_only=True):
    """An open or merged pull request of a branch of this repository.

    `trailers` are those of its last commit, `status` is the one asked for on that commit.
    """

    number: int
    url: str
    title: str
    state: Literal["open", "merged"]
    branch: str
    opened: str
    merged: str = ""
    trailers: Mapping[str, str] = {}
    status: Status | None = None


class _Context(msgspec.Struct, frozen=True, rename="camel"):
    context: str
    state: str
    created_at: str
    description: str | None = None
    target_url: str | None = None
    creator: Account | None = None

    def value(self) -> Status:
        return Status(
            context=self.context,
            state=self.state.lower(),
            description=self.description or "",
            target_url=self.target_url or "",
            creator=actor_of(self.creator),
            created_at=self.created_at,
        )


class _Contexts(msgspec.Struct, frozen=True):
    contexts: list[_Context] = []
    context: _Context | None = None


class _Date(msgspec.Struct, frozen=True):
    date: str = ""


class _Target(msgspec.Struct, frozen=True, rename="camel"):
    oid: str
    committed_date: str = ""
    status: _Contexts | None = None
    tagger: _Date | None = None
    target: _Target | None = None


class TagResponse(msgspec.Struct, frozen=True):
    """A tag, with the commit that it names, directly or by annotated tags."""

    prefix: str
    name: str
    target: _Target

    def value(self) -> ReleaseTag:
        """The tag with the statuses of its commit."""
        target, tagged = self.target, self.target.tagger.date if self.target.tagger else ""
        while target.target is not None:
            target = target.target
        statuses = target.status.contexts if target.status else []
        return ReleaseTag(
            name=(self.prefix + self.name).removeprefix("refs/tags/"),
            commit=target.oid,
            at=tagged or target.committed_date,
            statuses=tuple(status.value() for status in statuses),
        )


class _Number(msgspec.Struct, frozen=True):
    number: int


class _Numbers(msgspec.Struct, frozen=True):
    nodes: list[_Number] = []


class _Oids(msgspec.Struct, frozen=True):
    nodes: list[ObjectId] = []


class _User(msgspec.Struct, frozen=True):
    login: str = ""


class _Author(msgspec.Struct, frozen=True):
    name: str | None = None
    user: _User | None = None


class _Logged(msgspec.Struct, frozen=True, rename="camel"):
    oid: str
    message_headline: str
    committed_date: str
    parents: _Oids
    author: _Author | None = None
    associated_pull_requests: _Numbers | None = None

    def value(self) -> LogEntry:
        author = self.author
        return LogEntry(
            sha=self.oid,
            parents=tuple(parent.oid for parent in self.parents.nodes),
            subject=self.message_headline,
            at=self.committed_date,
            author=(author.user.login if author.user else author.name or "") if author else "",
            pulls=tuple(
                pull.number
                for pull in (self.associated_pull_requests.nodes if self.associated_pull_requests else ())
            ),
        )


class _Log(msgspec.Struct, frozen=True, rename="camel"):
    nodes: list[_Logged]
    page_info: PageInfo


class _Logs(msgspec.Struct, frozen=True):
    history: _Log | None = None


class _Tip(msgspec.Struct, frozen=True):
    message: str
    status: _Contexts | None = None


class _PullCommit(msgspec.Struct, frozen=True):
    commit: _Tip


class _PullCommits(msgspec.Struct, frozen=True):
    nodes: list[_PullCommit] = []


class PullResponse(msgspec.Struct, frozen=True, rename="camel"):
    """A pull request with its last commit."""

    number: int
    url: str
    title: str
    state: str
    head_ref_name: str
    is_cross_repository: bool
    created_at: str
    commits: _PullCommits
    merged_at: str | None = None

    def value(self) -> BranchPull:
        """The pull request with trailers and status of its last commit."""
        tip = self.commits.nodes[-1].commit if self.commits.nodes else None
        status = tip.status.context if tip and tip.status else None
        return BranchPull(
            number=self.number,
            url=self.url,
            title=self.title,
            state="open" if self.state == "OPEN" else "merged",
            branch=self.head_ref_name,
            opened=self.created_at,
            merged=self.merged_at or "",
            trailers=trailers.parse(tip.message) if tip else {},
            status=status.value() if status else None,
        )


class _Nodes(msgspec.Struct, frozen=True):
    nodes: list[msgspec.Raw]


class BatchResponse(msgspec.Struct, frozen=True):
    """Lists of a repository, each by the name of its field in the query."""

    repository: dict[str, _Nodes]


class LogResponse(msgspec.Struct, frozen=True):
    """One page of a log; None for a ref that is not a commit."""

    repository: dict[str, _Logs | None]
