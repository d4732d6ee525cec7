"""Finds, opens, changes and labels pull requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import Refused
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Pull
from stagegate.runner import log

_RIGHT = "pull-requests: write"
_LABELLED = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    timelineItems(itemTypes: [LABELED_EVENT], last: 100) {
      nodes { ... on LabeledEvent { createdAt label { name } } } } } } }"""


class _Repo(msgspec.Struct, frozen=True):
    full_name: str


class _End(msgspec.Struct, frozen=True):
    ref: str
    sha: str
    repo: _Repo | None = None


class _Label(msgspec.Struct, frozen=True):
    name: str


class _Labelled(msgspec.Struct, frozen=True, rename="camel"):
    created_at: str
    label: _Label


class _Items(msgspec.Struct, frozen=True):
    nodes: list[_Labelled]


class _Timeline(msgspec.Struct, frozen=True, rename="camel"):
    timeline_items: _Items


class _TimelineOf(msgspec.Struct, frozen=True, rename="camel"):
    pull_request: _Timeline


class _TimelineAnswer(msgspec.Struct, frozen=True):
    repository: _TimelineOf


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
    merged_by: Account | None = None
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
            merged_by=actor_of(self.merged_by),
        )


class Pulls(Port):
    """Pull requests of the repository."""

    @remembered
    def pulls(self, *, head: str | None = None, base: str | None = None, state: str = "open") -> list[Pull]:
        """Pull requests, newest first; `head` is a branch of this repository, or `owner:branch`."""
        params: dict[str, str | int] = {"state": state}
        if head:
            params["head"] = head if ":" in head else f"{self._c.owner}:{head}"
        if base:
            params["base"] = base
        path = self._c.path("pulls")
        pages = self._c.pages(path, _Pull, "list pull requests", "pull-requests: read", **params)
        return [pull.value() for pull in pages]

    def pull(self, number: int) -> Pull | None:
        """One pull request as it is now; None when there is none of that number."""
        path = self._c.path("pulls", number)
        pull = self._c.find(path, _Pull, f"read pull request {number}", "pull-requests: read")
        return pull.value() if pull else None

    def open_pull(self, title: str, body: str, head: str, base: str, draft: bool = False) -> Pull | None:
        """Open a pull request, or give back the open one for the same branches; None when nothing differs."""
        fields = {
            "title": log.redact(title),
            "body": log.redact(body),
            "head": head,
            "base": base,
            "draft": draft,
        }

        def create() -> Pull:
            path = self._c.path("pulls")
            return self._c.write("POST", path, fields, "open a pull request", _RIGHT, _Pull).value()

        def find() -> Pull | None:
            return next(iter(self.pulls(head=head, base=base)), None)

        try:
            return settle(create, find)
        except Refused as refusal:
            low = refusal.message.lower()
            if refusal.status == 422 and "no commits between" in low:
                return None
            if refusal.status == 422 and "already exists" in low:
                existing = find()
                if existing is not None:
                    return existing
            raise

    def update_pull(
        self,
        number: int,
        title: str | None = None,
        body: str | None = None,
        state: str | None = None,
        base: str | None = None,
    ) -> None:
        """Change the given fields and keep the others."""
        fields = {"title": title, "body": body, "state": state, "base": base}
        changes = {name: log.redact(value) for name, value in fields.items() if value is not None}
        path = self._c.path("pulls", number)
        doing = f"change pull request {number}"
        self._c.write("PATCH", path, changes, doing, _RIGHT, msgspec.Raw, repeatable=True)

    def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """Add labels (GitHub makes those that do not exist) and keep the others."""
        if labels:
            path = self._c.path("issues", number, "labels")
            doing = f"label pull request {number}"
            self._c.write("POST", path, {"labels": list(labels)}, doing, _RIGHT, msgspec.Raw, repeatable=True)

    def remove_label(self, number: int, label: str) -> None:
        """Remove a label; a missing one is not an error."""
        path = self._c.path("issues", number, "labels", label)
        doing = f"remove the label {label} from pull request {number}"
        try:
            self._c.write("DELETE", path, {}, doing, _RIGHT, msgspec.Raw, repeatable=True)
        except Refused as refusal:
            if refusal.status != 404:
                raise

    def labelled(self, number: int) -> dict[str, str]:
        """When each label was given last (RFC 3339, GitHub's clock), of the newest 100 times that one was."""
        doing = f"read the label events of pull request {number}"
        response = self._c.query(_LABELLED, {"number": number}, _TimelineAnswer, doing, "pull-requests: read")
        items = response.repository.pull_request.timeline_items.nodes
        return {item.label.name: item.created_at for item in items}

    def request_reviewers(self, number: int, users: Sequence[str], teams: Sequence[str] = ()) -> list[str]:
        """Request reviews: all at once, after a refusal one by one. Returns the refused ones with the reason."""
        if not users and not teams:
            return []
        refusal = self._request(number, users, teams)
        if refusal is None:
            return []
        if len(users) + len(teams) == 1:
            return [f"{(*users, *teams)[0]}: {refusal}"]
        results = [(user, self._request(number, [user], [])) for user in users]
        results += [(team, self._request(number, [], [team])) for team in teams]
        return [f"{user}: {why}" for user, why in results if why]

    def _request(self, number: int, users: Sequence[str], teams: Sequence[str]) -> str | None:
        body = {"reviewers": list(users), "team_reviewers": list(teams)}
        path = self._c.path("pulls", number, "requested_reviewers")
        doing = f"ask for a review of pull request {number}"
        try:
            self._c.write("POST", path, body, doing, _RIGHT, msgspec.Raw, repeatable=True)
        except Refused as refusal:
            if refusal.status != 422:
                raise
            return refusal.message
        return None
