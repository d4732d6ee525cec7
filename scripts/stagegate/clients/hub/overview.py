"""Reads in batches for a status report: the newest release tags, the log of a branch, pull requests by branch.

Each method makes one query however many releases, commits or branches there are, and one more for each hundred
commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from stagegate.clients.hub.accounts import ACTOR, Account, actor_of
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import TooLarge
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


class _TagRef(msgspec.Struct, frozen=True):
    prefix: str
    name: str
    target: _Target


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


class _BranchPull(msgspec.Struct, frozen=True, rename="camel"):
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


class _Answer(msgspec.Struct, frozen=True):
    repository: dict[str, _Nodes]


class _LogAnswer(msgspec.Struct, frozen=True):
    repository: dict[str, _Logs | None]


_TAGS = (
    """query($owner: String!, $name: String!, $prefix: String!, $part: String!, $first: Int!) {
  repository(owner: $owner, name: $name) { refs(refPrefix: $prefix, query: $part, first: $first,
    orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) { nodes { prefix name target { oid
      ... on Commit { ...of }
      ... on Tag { tagger { date } target { oid ... on Commit { ...of }
        ... on Tag { target { oid ... on Commit { ...of } } } } } } } } } }
fragment of on Commit { committedDate status { contexts {
  context state createdAt description targetUrl creator { ...who } } } }"""
    + ACTOR
)
_LOG = """query($owner: String!, $name: String!, $ref: String!, $first: Int!, $after: String) {
  repository(owner: $owner, name: $name) { object(expression: $ref) { ... on Commit {
    history(first: $first, after: $after) { nodes { oid messageHeadline committedDate
      parents(first: 5) { nodes { oid } } author { name user { login } }
      associatedPullRequests(first: 3) { nodes { number } } }
      pageInfo { hasNextPage endCursor } } } } } }"""
_PULLS = (
    """pullRequests(headRefName: $h%d, first: $first, states: [OPEN, MERGED],
    orderBy: {field: CREATED_AT, direction: DESC}) { nodes { ...pull } }""",
    """
fragment pull on PullRequest { number url title state headRefName isCrossRepository createdAt mergedAt
  commits(last: 1) { nodes { commit { message status { context(name: $status) {
    context state createdAt description targetUrl creator { ...who } } } } } } }""",
)


class Overview(Port):
    """Batched queries of a repository, for reports that decide nothing."""

    def release_tags(self, prefix: str, first: int = 30) -> list[ReleaseTag]:
        """The newest `first` (at most 100) tags whose name begins with `prefix`, newest first."""
        folder, slash, part = f"refs/tags/{prefix}".rpartition("/")
        variables = {"prefix": folder + slash, "part": part, "first": first}
        response = self._c.query(_TAGS, variables, _Answer, f"read the newest tags {prefix}*")
        refs = (msgspec.json.decode(node, type=_TagRef) for node in response.repository["refs"].nodes)
        return [tag for tag in map(_tag, refs) if tag.name.startswith(prefix)]

    def log(self, ref: str, first: int = 300) -> list[LogEntry]:
        """The newest `first` commits that `ref` contains, newest first, each with its pull requests."""
        entries: list[LogEntry] = []
        after: str | None = None
        size = min(first, 100)
        while len(entries) < first:
            variables = {"ref": ref, "first": size, "after": after}
            try:
                response = self._c.query(_LOG, variables, _LogAnswer, f"read the log of {ref[:40]}")
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 4)
                continue
            at = response.repository["object"]
            if at is None or at.history is None:
                break
            entries += [entry.value() for entry in at.history.nodes]
            after = at.history.page_info.end_cursor
            if not at.history.page_info.has_next_page:
                break
        return entries[:first]

    def branch_pulls(self, branches: Sequence[str], status: str, first: int = 20) -> list[BranchPull]:
        """The newest `first` open or merged pull requests of each branch of this repository, in one query.

        `status` names the commit status to read. Pull requests of forks are left out.
        """
        if not branches:
            return []
        declared = "".join(f", $h{i}: String!" for i in range(len(branches)))
        fields = " ".join(f"p{i}: {_PULLS[0] % i}" for i in range(len(branches)))
        text = (
            f"query($owner: String!, $name: String!, $first: Int!, $status: String!{declared}) "
            f"{{ repository(owner: $owner, name: $name) {{ {fields} }} }}{_PULLS[1]}{ACTOR}"
        )
        heads = {f"h{i}": branch for i, branch in enumerate(branches)}
        doing = "read the promotion pull requests"
        response = self._c.query(
            text, {"first": first, "status": status, **heads}, _Answer, doing, "pull-requests: read"
        )
        pulls = (
            msgspec.json.decode(node, type=_BranchPull)
            for nodes in response.repository.values()
            for node in nodes.nodes
        )
        return [pull.value() for pull in pulls if not pull.is_cross_repository]


def _tag(ref: _TagRef) -> ReleaseTag:
    target, tagged = ref.target, ref.target.tagger.date if ref.target.tagger else ""
    while target.target is not None:
        target = target.target
    statuses = target.status.contexts if target.status else []
    return ReleaseTag(
        name=(ref.prefix + ref.name).removeprefix("refs/tags/"),
        commit=target.oid,
        at=tagged or target.committed_date,
        statuses=tuple(status.value() for status in statuses),
    )
