"""Reads in batches for a status report: the newest release tags, the log of a branch, pull requests by branch.

Each method makes one query however many releases, commits or branches there are, and one more for each hundred
commits.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.clients.hub.accounts import ACTOR
from stagegate.clients.hub.overview_responses import (
    BatchResponse,
    BranchPull,
    LogEntry,
    LogResponse,
    PullResponse,
    ReleaseTag,
    TagResponse,
)
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import TooLarge

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
        response = self._c.query(_TAGS, variables, BatchResponse, f"read the newest tags {prefix}*")
        refs = (msgspec.json.decode(node, type=TagResponse) for node in response.repository["refs"].nodes)
        tags = (ref.value() for ref in refs)
        return [tag for tag in tags if tag.name.startswith(prefix)]

    def log(self, ref: str, first: int = 300) -> list[LogEntry]:
        """The newest `first` commits that `ref` contains, newest first, each with its pull requests."""
        entries: list[LogEntry] = []
        after: str | None = None
        size = min(first, 100)
        while len(entries) < first:
            variables = {"ref": ref, "first": size, "after": after}
            try:
                response = self._c.query(_LOG, variables, LogResponse, f"read the log of {ref[:40]}")
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
            text, {"first": first, "status": status, **heads}, BatchResponse, doing, "pull-requests: read"
        )
        pulls = (
            msgspec.json.decode(node, type=PullResponse)
            for nodes in response.repository.values()
            for node in nodes.nodes
        )
        return [pull.value() for pull in pulls if not pull.is_cross_repository]
