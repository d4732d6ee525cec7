"""Commit statuses, always with their author, and written only when they change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from stagegate.clients.hub.accounts import Account, actor_of
from stagegate.clients.hub.memory import remembered
from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import Refused
from stagegate.clients.hub.values import CheckRun, Status
from stagegate.errors import Stop
from stagegate.runner import log

T = TypeVar("T")

_SEEN_TRIES = 5
DESCRIPTION_LIMIT = 140  # a longer one is refused with 422


class _Status(msgspec.Struct, frozen=True):
    context: str
    state: str
    created_at: str
    description: str | None = None
    target_url: str | None = None
    creator: Account | None = None


class _Slug(msgspec.Struct, frozen=True):
    slug: str | None = None


class _CheckRun(msgspec.Struct, frozen=True):
    name: str
    status: str
    conclusion: str | None = None
    started_at: str | None = None
    app: _Slug | None = None


class _CheckRuns(msgspec.Struct, frozen=True):
    check_runs: list[_CheckRun]


def short(description: str) -> str:
    """At most 140 characters in one line, the cut shown by an ellipsis."""
    line = log.redact(" ".join(description.split()))
    return line if len(line) <= DESCRIPTION_LIMIT else line[: DESCRIPTION_LIMIT - 1].rstrip() + "…"


class Statuses(Port):
    """The statuses of commits."""

    @remembered
    def statuses(self, sha: str) -> list[Status]:
        """Every status of a commit, newest first, all pages, each with its creator."""
        path = self._c.path("commits", sha, "statuses")
        doing = f"read the statuses of {sha[:12]}"
        listed = self._when_seen(lambda: list(self._c.pages(path, _Status, doing, "statuses: read")))
        return [
            Status(
                context=status.context,
                state=status.state,
                description=status.description or "",
                target_url=status.target_url or "",
                creator=actor_of(status.creator),
                created_at=status.created_at,
            )
            for status in listed
        ]

    def check_runs(self, sha: str, name: str) -> list[CheckRun]:
        """The newest check runs of that name on a commit, one of each App."""
        path, doing = self._c.path("commits", sha, "check-runs"), f"read the check runs of {sha[:12]}"
        response = self._c.get(
            path, _CheckRuns, doing, "checks: read", check_name=name, filter="latest", per_page=100
        )
        return [
            CheckRun(
                name=run.name,
                status=run.status,
                conclusion=run.conclusion or "",
                by=f"{run.app.slug}[bot]" if run.app and run.app.slug else "",
                started_at=run.started_at or "",
            )
            for run in response.check_runs
        ]

    def _when_seen(self, call: Callable[[], T]) -> T:
        """The result of `call`, repeated while GitHub does not find the commit.

        A commit that was just pushed to a fork is unknown to its parent repository for some seconds.
        """
        for attempt in range(_SEEN_TRIES):
            try:
                return call()
            except Refused as refusal:
                unseen = refusal.status == 422 and "no commit found" in refusal.message.lower()
                if not unseen or attempt == _SEEN_TRIES - 1:
                    raise
                self._c.back_off(attempt)
        raise AssertionError("the last try returns or raises")

    def set_status(self, sha: str, context: str, state: str, description: str, target_url: str = "") -> bool:
        """Write a status unless the newest one of this context is ours and equal; True when written.

        Same means state and description, and for `pending` the target too: there it names the run that is at
        work. (GitHub takes 1,000 statuses for a commit and context, then refuses.) The description is cut to
        140 characters.
        """
        description = short(description)
        newest = next((s for s in self.statuses(sha) if s.context == context), None)
        if newest and self._says(newest, state, description, target_url):
            return False
        self.set_first_status(sha, context, state, description, target_url)
        return True

    def set_first_status(
        self, sha: str, context: str, state: str, description: str, target_url: str = ""
    ) -> None:
        """Write a status without reading existing ones, for a new commit."""
        description = short(description)
        body = {"state": state, "context": context, "description": description}
        body |= {"target_url": target_url} if target_url else {}
        doing = f"set the status {context} on {sha[:12]}"
        try:
            self._when_seen(
                lambda: self._c.write(
                    "POST",
                    self._c.path("statuses", sha),
                    body,
                    doing,
                    "statuses: write",
                    msgspec.Raw,
                    repeatable=True,
                )
            )
        except Refused as refusal:
            if "this sha and context has reached the maximum" not in refusal.message.lower():
                raise
            raise Stop(
                "unknown-state",
                refusal.what,
                f"The commit has 1,000 statuses {context}, which is the limit of GitHub.",
                "Release or promote from a newer commit, because GitHub accepts no further status "
                "of this commit.",
            ) from refusal

    def _says(self, newest: Status, state: str, description: str, target_url: str) -> bool:
        if (newest.state, newest.description) != (state, description):
            return False
        if state == "pending" and newest.target_url != target_url:
            return False
        return self.viewer().same(newest.creator)
