"""How releases flow: the four DORA measures of an app, and where the time of its releases goes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median
from types import MappingProxyType

import msgspec

from stagegate.model import moment
from stagegate.report.status import AppStatus, PhaseName, ReleaseStatus, StatusReport

WEEK = timedelta(days=7)
WEEKS_SHOWN = 12

# What each measure means here, shown beside it.
DEFINITIONS: Mapping[str, str] = MappingProxyType(
    {
        "deployment frequency": "releases per week that passed the gate in production, from the first known "
        "release to the last (at least one week)",
        "lead time for changes": "median time from a commit until its release passed the gate in production",
        "change failure rate": "share of failed gates in all gates that ended in production",
        "time to restore": "median time from a failed gate in production to the next gate that passed",
    }
)
PHASES: Mapping[PhaseName, str] = MappingProxyType(
    {
        "build": "from the tag of the release until the pins of the first environment named the release",
        "roll-out": "from the change of the pins until the gate passed",
        "queue": "from the gate of the earlier environment until the release was proposed",
        "soak": "proposed, but the soak was not over",
        "freeze": "a freeze stopped the promotion",
        "approval": "waited only for a person to merge",
    }
)


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """The four DORA measures over the known releases of one app, as `DEFINITIONS` define them.

    None where nothing was measured. `by_week`: deployments in each of the last weeks, the oldest first. `stages`:
    median seconds of each part of the road, such as `approval prod`.
    """

    weeks: float = 0.0
    deployments: int = 0
    per_week: float | None = None
    lead_seconds: float | None = None
    failure_rate: float | None = None
    recovery_seconds: float | None = None
    by_week: tuple[int, ...] = ()
    stages: tuple[tuple[str, float], ...] = ()


def flow(app: AppStatus, now: datetime | None = None) -> Flow:
    """The measures of an app's releases; production is every environment marked so. `now` ends the last week."""
    production = {place.name for place in app.environments if place.production}
    events = sorted(
        (
            (moment(step.at), step.state, release)
            for release in app.releases
            for step in release.steps
            if step.environment in production and step.name == "gate" and step.at
        ),
        key=lambda event: event[0],
    )
    if not events:
        return Flow(stages=_stages(app.releases))
    good = [(at, release) for at, state, release in events if state == "done"]
    failed = [at for at, state, _ in events if state == "failed"]
    recoveries = [
        (min(later) - at).total_seconds()
        for at in failed
        if (later := [when for when, _ in good if when > at])
    ]
    leads = [seconds for at, release in good for seconds in _leads(at, release)]
    weeks = max((events[-1][0] - events[0][0]) / WEEK, 1.0)
    return Flow(
        weeks=round(weeks, 1),
        deployments=len(good),
        per_week=round(len(good) / weeks, 2),
        lead_seconds=median(leads) if leads else None,
        failure_rate=round(len(failed) / len(events), 3),
        recovery_seconds=median(recoveries) if recoveries else None,
        by_week=_by_week([at for at, _ in good], now or events[-1][0]),
        stages=_stages(app.releases),
    )


def flows(report: StatusReport) -> dict[str, Flow]:
    """The measures of every app, by name."""
    return {app.app: flow(app, moment(report.at)) for app in report.apps}


def _leads(at: datetime, release: ReleaseStatus) -> list[float]:
    """Seconds from each commit of a release until it was good; from its first step where no commit is known."""
    starts = [commit.at for commit in release.commits if commit.at]
    starts = starts or [step.at for step in release.steps[:1] if step.name == "committed"]
    return [max((at - moment(start)).total_seconds(), 0.0) for start in starts]


def _by_week(times: Iterable[datetime], end: datetime) -> tuple[int, ...]:
    counted = Counter(int((end - at) / WEEK) for at in times if at <= end)
    return tuple(counted[age] for age in reversed(range(WEEKS_SHOWN)))


def _stages(releases: Iterable[ReleaseStatus]) -> tuple[tuple[str, float], ...]:
    """Median seconds of each phase, in the order in which releases meet them."""
    spans: dict[str, list[float]] = {}
    for release in releases:
        for phase in release.phases:
            spans.setdefault(f"{phase.name} {phase.environment}".strip(), []).append(phase.seconds)
    return tuple((name, median(seconds)) for name, seconds in spans.items())
