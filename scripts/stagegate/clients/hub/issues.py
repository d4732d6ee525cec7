"""Issues that stagegate opens for people. They are not state, and no decision depends on them."""

from __future__ import annotations

import msgspec

from stagegate.clients.hub.comments import BODY_LIMIT
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.transport import settle
from stagegate.clients.hub.values import Issue
from stagegate.runner import log

_RIGHT = "issues: write"


class _Issue(msgspec.Struct, frozen=True):
    number: int
    title: str
    html_url: str
    body: str | None = None
    pull_request: msgspec.Raw | None = None

    def value(self) -> Issue:
        return Issue(number=self.number, title=self.title, url=self.html_url, body=self.body or "")


class Issues(Port):
    """The issues of a repository."""

    def open_issues(self) -> list[Issue]:
        """Every open issue of our own, newest first, without pull requests."""
        issues = self._c.pages(
            self._c.path("issues"),
            _Issue,
            "read the open issues",
            "issues: read",
            state="open",
            creator=self.viewer().login,
        )
        return [issue.value() for issue in issues if issue.pull_request is None]

    def open_issue(self, title: str, body: str) -> Issue:
        """Open an issue; after a lost response an open one of this title is taken as it."""
        fields = {"title": log.redact(title), "body": log.redact(body)[:BODY_LIMIT]}

        def create() -> Issue:
            path = self._c.path("issues")
            return self._c.write("POST", path, fields, "open an issue", _RIGHT, _Issue).value()

        return settle(create, lambda: next((i for i in self.open_issues() if i.title == title), None))

    def edit_issue(self, number: int, *, body: str | None = None, state: str | None = None) -> Issue:
        """Replace the text of an issue of ours, or close it."""
        changes = {"body": log.redact(body)[:BODY_LIMIT] if body is not None else None, "state": state}
        fields = {name: value for name, value in changes.items() if value is not None}
        path = self._c.path("issues", number)
        return self._c.write(
            "PATCH", path, fields, f"edit issue {number}", _RIGHT, _Issue, repeatable=True
        ).value()
