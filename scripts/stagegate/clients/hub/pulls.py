"""Pull requests: found or opened, changed, reviewed, merged with the head they were judged at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stagegate.clients.hub.accounts import ACTOR, Account, actor_of
from stagegate.clients.hub.connection import settle
from stagegate.clients.hub.port import Port
from stagegate.clients.hub.refusals import Refused, StaleHead
from stagegate.clients.hub.values import Pull, Review
from stagegate.errors import Stop

_RIGHT = "pull-requests: write"
_MERGE_TRIES = 5


class _Repo(msgspec.Struct, frozen=True):
    full_name: str


class _End(msgspec.Struct, frozen=True):
    ref: str
    sha: str
    repo: _Repo | None = None


class _Label(msgspec.Struct, frozen=True):
    name: str


class _Pull(msgspec.Struct, frozen=True):
    number: int
    node_id: str
    html_url: str
    title: str
    state: str
    head: _End
    base: _End
    body: str | None = None
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    draft: bool = False
    user: Account | None = None
    labels: list[_Label] = []
    mergeable: bool | None = None
    auto_merge: dict[str, Any] | None = None

    def value(self) -> Pull:
        merged = self.merged_at is not None
        return Pull(
            number=self.number,
            node_id=self.node_id,
            url=self.html_url,
            title=self.title,
            body=self.body or "",
            state="open" if self.state == "open" else "closed",
            merged=merged,
            merge_commit=(self.merge_commit_sha or "") if merged else "",  # before, it is GitHub's test merge
            draft=self.draft,
            head_ref=self.head.ref,
            head_sha=self.head.sha,
            head_repository=self.head.repo.full_name if self.head.repo else "",
            base_ref=self.base.ref,
            base_sha=self.base.sha,
            author=actor_of(self.user),
            labels=tuple(label.name for label in self.labels),
            mergeable=self.mergeable,
            auto_merge=self.auto_merge is not None,
        )


class _Commit(msgspec.Struct, frozen=True):
    oid: str


class _Review(msgspec.Struct, frozen=True, rename="camel"):
    database_id: int
    state: str
    author_can_push_to_repository: bool
    author: Account | None = None
    commit: _Commit | None = None
    submitted_at: str | None = None


class _PageInfo(msgspec.Struct, frozen=True, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Reviews(msgspec.Struct, frozen=True, rename="camel"):
    nodes: list[_Review]
    page_info: _PageInfo


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
      nodes { databaseId state submittedAt authorCanPushToRepository commit { oid } author { ...who } }
      pageInfo { hasNextPage endCursor } } } } }"""
    + ACTOR
)


class Pulls(Port):
    """Pull requests of the repository."""

    def pulls(self, *, head: str | None = None, base: str | None = None, state: str = "open") -> list[Pull]:
        """Pull requests, newest first; `head` is a branch of this repository, or `owner:branch`."""
        params: dict[str, str | int] = {"state": state}
        if head:
            params["head"] = head if ":" in head else f"{self._c.owner}:{head}"
        if base:
            params["base"] = base
        path = self._c.path("pulls")
        found = self._c.pages(path, _Pull, "list pull requests", "pull-requests: read", **params)
        return [pull.value() for pull in found]

    def pull(self, number: int) -> Pull | None:
        """One pull request as it is now; None when there is none of that number."""
        path = self._c.path("pulls", number)
        found = self._c.find(path, _Pull, f"read pull request {number}", "pull-requests: read")
        return found.value() if found else None

    def reviews(self, number: int) -> list[Review]:
        """All reviews, oldest first, each with the commit it was given on and whether its author can push."""
        found: list[Review] = []
        after: str | None = None
        while True:
            variables = {"number": number, "after": after}
            doing = f"read the reviews of pull request {number}"
            page = self._c.query(_REVIEWS, variables, _Answer, doing, "pull-requests: read")
            reviews = page.repository.pull_request.reviews
            found += [
                Review(
                    id=r.database_id,
                    author=actor_of(r.author),
                    state=r.state,
                    commit=r.commit.oid if r.commit else "",
                    submitted_at=r.submitted_at or "",
                    can_push=r.author_can_push_to_repository,
                )
                for r in reviews.nodes
            ]
            if not reviews.page_info.has_next_page:
                return found
            after = reviews.page_info.end_cursor

    def open_pull(self, title: str, body: str, head: str, base: str, draft: bool = False) -> Pull | None:
        """Open a pull request, or give back the open one for the same branches; None when nothing differs."""
        fields = {"title": title, "body": body, "head": head, "base": base, "draft": draft}

        def create() -> Pull:
            path = self._c.path("pulls")
            return self._c.write("POST", path, fields, "open a pull request", _RIGHT, _Pull).value()

        def find() -> Pull | None:
            return next(iter(self.pulls(head=head, base=base)), None)

        try:
            return settle(create, find)
        except Refused as refusal:
            low = refusal.said.lower()
            if refusal.status == 422 and "no commits between" in low:
                return None
            if refusal.status == 422 and "already exists" in low:
                there = find()
                if there is not None:
                    return there
            raise

    def update_pull(
        self,
        number: int,
        title: str | None = None,
        body: str | None = None,
        state: str | None = None,
        base: str | None = None,
    ) -> None:
        """Change what is given and leave the rest."""
        fields = {"title": title, "body": body, "state": state, "base": base}
        given = {name: value for name, value in fields.items() if value is not None}
        path = self._c.path("pulls", number)
        doing = f"change pull request {number}"
        self._c.write("PATCH", path, given, doing, _RIGHT, msgspec.Raw, repeatable=True)

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels (GitHub makes those that do not exist) and keep the others."""
        if labels:
            path = self._c.path("issues", number, "labels")
            doing = f"label pull request {number}"
            self._c.write("POST", path, {"labels": list(labels)}, doing, _RIGHT, msgspec.Raw, repeatable=True)

    def request_reviewers(self, number: int, users: Sequence[str], teams: Sequence[str] = ()) -> list[str]:
        """Ask for reviews: all at once, after a refusal one by one. Those refused, with why."""
        if not users and not teams:
            return []
        refusal = self._request(number, users, teams)
        if refusal is None:
            return []
        if len(users) + len(teams) == 1:
            return [f"{(*users, *teams)[0]}: {refusal}"]
        each = [(user, self._request(number, [user], [])) for user in users]
        each += [(team, self._request(number, [], [team])) for team in teams]
        return [f"{who}: {why}" for who, why in each if why]

    def _request(self, number: int, users: Sequence[str], teams: Sequence[str]) -> str | None:
        body = {"reviewers": list(users), "team_reviewers": list(teams)}
        path = self._c.path("pulls", number, "requested_reviewers")
        doing = f"ask for a review of pull request {number}"
        try:
            self._c.write("POST", path, body, doing, _RIGHT, msgspec.Raw, repeatable=True)
        except Refused as refusal:
            if refusal.status != 422:
                raise
            return refusal.said
        return None

    def disable_auto_merge(self, node_id: str) -> None:
        """Switch off auto-merge of a pull request that has it on."""
        fields = {"pullRequestId": node_id}
        self._c.mutate(
            "disablePullRequestAutoMerge", fields, "clientMutationId", "disable auto-merge", _RIGHT
        )

    def dismiss_review(self, number: int, review_id: int, message: str) -> None:
        """Dismiss an approval, with the reason people will see."""
        path = self._c.path("pulls", number, "reviews", review_id, "dismissals")
        body = {"message": message, "event": "DISMISS"}
        doing = f"dismiss a review of pull request {number}"
        self._c.write("PUT", path, body, doing, _RIGHT, msgspec.Raw, repeatable=True)

    def merge(self, number: int, sha: str, method: str, title: str, message: str) -> str:
        """Merge a pull request that is still at `sha`; the merge commit. Safe to repeat.

        StaleHead when its head moved, Stop(protected-branch) when a rule forbids it, Stop(queued) where a
        merge queue must do it. A base that moved, or a status GitHub has not seen yet, is tried again for a
        while.
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
                done = self._merged_at(number, sha) if refusal.status in (405, 409, 422) else None
                if done:
                    return done
                if not _passing(refusal) or attempt == _MERGE_TRIES - 1:
                    raise _merge_refusal(refusal, number, sha) from refusal
                self._c.back_off(attempt)
        raise AssertionError("the last try returns or raises")

    def _merged_at(self, number: int, sha: str) -> str | None:
        """The merge commit when this head is already in."""
        pull = self.pull(number)
        return pull.merge_commit or None if pull and pull.merged and pull.head_sha == sha else None


def _passing(refusal: Refused) -> bool:
    """A 405 that goes away by itself."""
    low = refusal.said.lower()
    return refusal.status == 405 and (
        "base branch was modified" in low or ("required status check" in low and "expected" in low)
    )


def _merge_refusal(refusal: Refused, number: int, sha: str) -> Stop:
    low = refusal.said.lower()
    if "merge queue" in low:
        return Stop(
            "queued",
            f"Pull request {number} can only be merged by the merge queue.",
            f"GitHub says: {refusal.said}",
            "Set `merge: merge-queue` for this environment, or add the pull request to the queue.",
        )
    if refusal.status == 409 or "head branch was modified" in low:
        return StaleHead(
            f"Pull request {number}", f"Its head is no longer {sha[:12]}, the one that was judged."
        )
    if refusal.status == 405:
        return Stop(
            "protected-branch",
            f"GitHub does not let us merge pull request {number}.",
            f"It says: {refusal.said}",
            "Meet the rule it names (a conflict: close the pull request, it is proposed anew), "
            "or let a person merge.",
        )
    return refusal
