"""Reads reviews and requirements of a pull request, and merges exactly the judged head."""

from __future__ import annotations

import msgspec

from stagegate.clients.hub.accounts import ACTOR, Account, actor_of
from stagegate.clients.hub.pulls import Pulls
from stagegate.clients.hub.refusals import Refused, StaleHead
from stagegate.clients.hub.response import PageInfo
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Review
from stagegate.errors import Stop

_RIGHT = "pull-requests: write"
_MERGE_TRIES = 6


class _Commit(msgspec.Struct, frozen=True):
    oid: str


class _Review(msgspec.Struct, frozen=True, rename="camel"):
    full_database_id: str  # a BigInt: review ids have outgrown 32 bits
    state: str
    author_can_push_to_repository: bool
    author: Account | None = None
    commit: _Commit | None = None
    submitted_at: str | None = None


class _Reviews(msgspec.Struct, frozen=True, rename="camel"):
    nodes: list[_Review]
    page_info: PageInfo


class _Reviewed(msgspec.Struct, frozen=True, rename="camel"):
    reviews: _Reviews


class _PullNode(msgspec.Struct, frozen=True, rename="camel"):
    pull_request: _Reviewed


class _Answer(msgspec.Struct, frozen=True):
    repository: _PullNode


class _Merged(msgspec.Struct, frozen=True):
    sha: str


_REVIEWS = (
    """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    reviews(first: 100, after: $after) {
      nodes { fullDatabaseId state submittedAt authorCanPushToRepository commit { oid } author { ...who } }
      pageInfo { hasNextPage endCursor } } } } }"""
    + ACTOR
)


class Merging(Pulls):
    """Reviews, auto-merge, merge."""

    def reviews(self, number: int) -> list[Review]:
        """All reviews, oldest first, each with the commit it was given on and whether its author can push."""
        listed: list[Review] = []
        after: str | None = None
        while True:
            variables = {"number": number, "after": after}
            doing = f"read the reviews of pull request {number}"
            page = self._c.query(_REVIEWS, variables, _Answer, doing, "pull-requests: read")
            reviews = page.repository.pull_request.reviews
            listed += [
                Review(
                    id=int(r.full_database_id),
                    author=actor_of(r.author),
                    state=r.state,
                    commit=r.commit.oid if r.commit else "",
                    submitted_at=r.submitted_at or "",
                    can_push=r.author_can_push_to_repository,
                )
                for r in reviews.nodes
            ]
            if not reviews.page_info.has_next_page:
                return listed
            after = reviews.page_info.end_cursor

    def disable_auto_merge(self, node_id: str) -> None:
        """Switch off auto-merge of a pull request that has it on."""
        fields = {"pullRequestId": node_id}
        self._c.mutate(
            "disablePullRequestAutoMerge",
            fields,
            "clientMutationId",
            "disable auto-merge",
            _RIGHT,
            dict[str, object],
        )

    def dismiss_review(self, number: int, review_id: int, message: str) -> None:
        """Dismiss an approval, with a reason for people."""
        path = self._c.path("pulls", number, "reviews", review_id, "dismissals")
        body = {"message": message, "event": "DISMISS"}
        doing = f"dismiss a review of pull request {number}"
        self._c.write("PUT", path, body, doing, _RIGHT, msgspec.Raw, repeatable=True)

    def merge(self, number: int, sha: str, method: str, title: str, message: str) -> str:
        """Merge a pull request that is still at `sha`; the merge commit. Safe to repeat.

        StaleHead when its head moved, Stop(protected-branch) when a rule forbids it, Stop(queued) where a
        merge queue must do it. A base that moved, a status GitHub has not seen yet, or a mergeability that it
        still computes is tried again for a while.
        """
        body = {"sha": sha, "merge_method": method, "commit_title": title, "commit_message": message}
        path = self._c.path("pulls", number, "merge")
        doing = f"merge pull request {number}"

        def create() -> str:
            return self._c.write("PUT", path, body, doing, "contents: write", _Merged).sha

        for attempt in range(_MERGE_TRIES):
            try:
                return settle(create, lambda: self._merged_at(number, sha))
            except Refused as refusal:
                pull = self.pull(number) if refusal.status in (405, 409, 422) else None
                if pull and pull.merged and pull.head_sha == sha and pull.merge_commit:
                    return pull.merge_commit
                # null: GitHub still computes whether it can be merged, and refuses until it knows
                undecided = refusal.status == 405 and pull is not None and pull.mergeable is None
                if not (undecided or _passing(refusal)) or attempt == _MERGE_TRIES - 1:
                    raise _merge_refusal(refusal, number, sha) from refusal
                self._c.back_off(attempt)
        raise AssertionError("the last try returns or raises")

    def _merged_at(self, number: int, sha: str) -> str | None:
        """The merge commit when this head is already in."""
        pull = self.pull(number)
        return pull.merge_commit or None if pull and pull.merged and pull.head_sha == sha else None


def _passing(refusal: Refused) -> bool:
    """Whether a 405 is only temporary."""
    low = refusal.message.lower()
    return refusal.status == 405 and (
        "base branch was modified" in low or ("required status check" in low and "expected" in low)
    )


def _merge_refusal(refusal: Refused, number: int, sha: str) -> Stop:
    low = refusal.message.lower()
    if "merge queue" in low:
        return Stop(
            "queued",
            f"Pull request {number} can only be merged by the merge queue.",
            f"GitHub reported: {refusal.message}",
            "Set `merge: merge-queue` for this environment, or add the pull request to the queue.",
        )
    if refusal.status == 409 or "head branch was modified" in low:
        return StaleHead(
            f"Pull request {number}",
            f"The head of the pull request is no longer {sha[:12]}, the commit that stagegate checked.",
        )
    if refusal.status == 405:
        return Stop(
            "protected-branch",
            f"GitHub did not merge pull request {number}.",
            f"GitHub reported: {refusal.message}",
            "Meet the rule that GitHub names, or let a person merge. If there is a conflict, close "
            "the pull request, and stagegate opens a new one.",
        )
    return refusal
