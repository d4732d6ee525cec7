"""Where every version is: the values of the status report, and the words and colours for each state. Pure.

`stagegate/status/1` is the JSON form. Times are RFC 3339 in UTC, durations are seconds, `unknown` is a state of
its own: what could not be read is never shown as good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from statistics import median
from typing import Literal

import msgspec

GateState = Literal["passed", "adopted", "failed", "revoked", "skipped", "running", "none", "unknown"]
Attention = Literal["drift", "stuck", "held", "frozen", "failed", "unknown", "waiting", "moving", "good"]


class OpenPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """An open promotion pull request of an environment; `state` is that of its status `stagegate/pins`."""

    number: int
    url: str
    version: str
    state: str
    opened: str
    detail: str = ""


class EnvironmentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One environment of an app: what its pins name, what its gate found, what stops or follows.

    `since`: when this version became good here. `soaks_until`, `hold`, `freeze` are empty where there is none.
    `next`: what happens next, or what a person has to do. `next_version`: the newest version that waits to enter.
    """

    name: str
    after: tuple[str, ...] = ()
    production: bool = False
    version: str = ""
    commit: str = ""
    tag_url: str = ""
    gate: GateState = "unknown"
    gate_at: str = ""
    gate_url: str = ""
    checks: int = 0
    checks_passed: int = 0
    since: str = ""
    soaks_until: str = ""
    hold: str = ""
    freeze: str = ""
    bans: tuple[str, ...] = ()
    promotion: OpenPromotion | None = None
    next_version: str = ""
    next: str = ""
    drift: str = ""
    stuck: str = ""
    trouble: str = ""

    @property
    def attention(self) -> Attention:
        """The one word that decides colour and order: what needs a person most comes first."""
        if self.trouble or self.gate == "unknown":
            return "unknown"
        if self.drift:
            return "drift"
        if self.gate in ("failed", "revoked"):
            return "failed"
        if self.hold:
            return "held"
        if self.stuck:
            return "stuck"
        if self.freeze:
            return "frozen"
        if self.gate == "running":
            return "moving"
        return "waiting" if self.promotion or self.soaks_until else "good"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a release on its road: committed, built, published, passed, promoted; with time and link."""

    name: str
    at: str = ""
    url: str = ""
    state: Literal["done", "failed", "waiting", "unknown"] = "done"
    environment: str = ""


class ReleaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A release, the commits and pull requests in it, and its road so far, oldest step first."""

    version: str
    commit: str
    url: str = ""
    commits: tuple[str, ...] = ()
    pulls: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()


class AppStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An app with its environments in order, and its newest releases; `trouble` where nothing could be read."""

    app: str
    repository: str = ""
    environments: tuple[EnvironmentStatus, ...] = ()
    releases: tuple[ReleaseStatus, ...] = ()
    trouble: str = ""


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every app that was asked about, at one moment."""

    schema: Literal["stagegate/status/1"] = "stagegate/status/1"
    at: str
    repository: str
    run_url: str = ""
    apps: tuple[AppStatus, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every environment name, in the order in which the apps name them."""
        return tuple(dict.fromkeys(place.name for app in self.apps for place in app.environments))


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """The four DORA measures over the releases of one app, and where their time went (median seconds by step).

    Frequency: releases that reached production in the period, per week. Lead time: from the release commit to
    production. Failure rate: production gates that failed, of all of them. Recovery: from a failed production
    gate to the next good one. None where nothing was measured.
    """

    weeks: float
    deployments: int
    per_week: float | None = None
    lead_seconds: float | None = None
    failure_rate: float | None = None
    recovery_seconds: float | None = None
    stages: tuple[tuple[str, float], ...] = ()


def flow(app: AppStatus) -> Flow:
    """The measures of an app's releases; production is every environment marked so."""
    production = {place.name for place in app.environments if place.production}
    events = (
        sorted(
            (parse(step.at), step.state, release)
            for release in app.releases
            for step in release.steps
            if step.environment in production and step.name == "gate" and step.at
        )
        if production
        else []
    )
    good = [(at, release) for at, state, release in events if state == "done"]
    failed = [at for at, state, _ in events if state == "failed"]
    starts = {r.version: parse(s.at) for r in app.releases for s in r.steps if s.name == "commit" and s.at}
    leads = [
        (at - starts[release.version]).total_seconds() for at, release in good if release.version in starts
    ]
    recoveries = [
        (min(after) - at).total_seconds()
        for at in failed
        if (after := [moment for moment, _ in good if moment > at])
    ]
    span = (events[-1][0] - events[0][0]).total_seconds() if len(events) > 1 else 0
    weeks = max(span / 604800, 1.0) if events else 0.0
    return Flow(
        weeks=round(weeks, 1),
        deployments=len(good),
        per_week=round(len(good) / weeks, 2) if weeks else None,
        lead_seconds=median(leads) if leads else None,
        failure_rate=round(len(failed) / len(events), 3) if events else None,
        recovery_seconds=median(recoveries) if recoveries else None,
        stages=_stages(app.releases),
    )


def _stages(releases: Iterable[ReleaseStatus]) -> tuple[tuple[str, float], ...]:
    """Median seconds between each pair of steps that follow each other, named by the step that ends it."""
    spans: dict[str, list[float]] = {}
    for release in releases:
        timed = [step for step in release.steps if step.at and step.state == "done"]
        for before, step in pairwise(timed):
            name = f"{step.name} {step.environment}".strip()
            spans.setdefault(name, []).append(max((parse(step.at) - parse(before.at)).total_seconds(), 0))
    return tuple((name, median(seconds)) for name, seconds in spans.items())


def parse(text: str) -> datetime:
    """A moment from RFC 3339 text."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def duration(seconds: float | None) -> str:
    """Two largest units, such as `3 d 4 h`, or a dash where there is nothing to say."""
    if seconds is None:
        return "-"
    rest = round(seconds)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if rest >= size or (size == 1 and not parts):
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts[:2])


def failing(report: StatusReport, words: Sequence[str]) -> list[str]:
    """What `fail-on` asks for, as lines such as `shop prod: drift`; unknown always counts."""
    lines = [
        f"{app.app} {place.name}: {place.attention}"
        for app in report.apps
        for place in app.environments
        if place.attention in words or (words and place.attention == "unknown")
    ]
    return lines + [f"{app.app}: unknown" for app in report.apps if words and app.trouble]
