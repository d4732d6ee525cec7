"""The times when a release was built and published: statuses on its commit, only for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from stagegate.clients.hub import Hub, Status
from stagegate.errors import Stop
from stagegate.evidence.records import is_accepted
from stagegate.model import Actor
from stagegate.runner import log

Milestone = Literal["built", "published"]
MILESTONES: tuple[Milestone, ...] = ("built", "published")


def context(app: str, milestone: Milestone) -> str:
    """The status of a milestone. No gate has such a name: an environment's name has no slash."""
    return f"stagegate/{app}/release/{milestone}"


def of(statuses: Iterable[Status], app: str, milestone: Milestone, writers: Sequence[Actor]) -> Status | None:
    """The status of a milestone, if one of `writers` wrote it."""
    wanted = context(app, milestone)
    written = (s for s in statuses if s.context == wanted and s.state == "success")
    return next((s for s in written if is_accepted(s.creator, writers)), None)


def record(github: Hub, commit: str, app: str, version: str, milestone: Milestone, run_url: str) -> None:
    """Write a milestone once: what a repeated run finds written stays. Never a Stop, because the release does not
    depend on it; the log says why it could not be written."""
    name = context(app, milestone)
    try:
        if not any(s.context == name for s in github.statuses(commit)):
            what = f"{app} {version} is {milestone}"
            github.set_first_status(commit, name, "success", what, run_url)
    except Stop as stop:
        log.say(
            f"The step `{milestone}` of {app} {version} could not be recorded, so reports about "
            f"this release will not show the step. {stop.what} {stop.why} {stop.next}"
        )
