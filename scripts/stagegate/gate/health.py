"""Judges whether an Application is healthy, and its health newer than the sync. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from stagegate.argocd_app.status import Application, ObjectSeen
from stagegate.gate.expected import Expected
from stagegate.gate.rollout_reasons import Objection, RolloutReason
from stagegate.model import moment

WORKLOADS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Rollout",
    "Job",
    "CronJob",
    "Pod",
    "Canary",
)
_ABORTED = re.compile(r"abort|^Failed\b", re.IGNORECASE)  # Argo Rollouts' words; Flagger's phase
_WORDS: Mapping[str, RolloutReason] = {
    "Progressing": "progressing",
    "Degraded": "degraded",
    "Missing": "missing",
    "Suspended": "suspended",
}


def objections(app: Application, expected: Expected) -> Iterator[Objection]:
    """Objections to the health of an Application, or to its age."""
    if app.operation.finished and not not_before(app.reconciled, app.operation.finished):
        yield "stale-health", "Argo CD reported the health before the sync finished"
    yield from _canaries(app)
    if app.health not in (("Healthy", "Suspended") if expected.accepts_suspended else ("Healthy",)):
        cause = "; ".join(app.unhealthy[:3]) or app.health_message
        text = f"{app.health or 'no health'}" + (f" since {app.health_since}" if app.health_since else "")
        text += f": {cause}" if cause else ""
        if expected.cannot_start and app.health in ("Progressing", "Degraded"):
            yield "degraded", f"{text}; {expected.cannot_start}"
        yield _WORDS.get(app.health, "health-unknown"), text


def _canaries(app: Application) -> Iterator[Objection]:
    """Objections for a Rollout or Canary that is paused, shifts traffic, or was aborted."""
    for item in app.objects:
        if item.kind not in ("Rollout", "Canary") or item.health in ("", "Healthy", "Missing"):
            continue
        text = f"{item.name} {item.health}" + (f": {item.message}" if item.message else "")
        if item.health == "Degraded" and _ABORTED.search(item.message):
            yield "canary-aborted", text
        # Flagger's phases of waiting have no health of their own in Argo CD: they are Unknown.
        elif item.health == "Suspended" or (item.kind == "Canary" and item.health != "Degraded"):
            yield "canary", text


def past_deadline(app: Application) -> bool:
    """Whether a workload is Degraded for good: its progress deadline has passed, by Argo CD's own words."""
    return any("progress deadline" in text for text in (*app.unhealthy, app.health_message))


def failing_workload(app: Application) -> str:
    """A workload that is Degraded now, or nothing; the Application itself where no object's health is listed."""
    bad = [item for item in app.objects if item.health == "Degraded"]
    if app.health == "Degraded" and not bad:
        return app.health_message or f"the Application {app.name} is Degraded"
    return next((_told(item) for item in bad if item.kind in WORKLOADS), "")


def _told(item: ObjectSeen) -> str:
    return f"{item.name} is {item.health}" + (f": {item.message}" if item.message else "")


# Reasons of a look at what ran before the release came.
_EARLIER = ("pin-not-applied", "stale-comparison", "old-revision", "old-commit", "unknown-commit")
# Those whose health is that of the release's own pods; an autoscaler's is about their metrics.
_RUNNING = set(WORKLOADS) - {"CronJob"} | {"HorizontalPodAutoscaler", "ScaledObject"}


def ill_before(known_ill: frozenset[str], app: Application, reason: str) -> frozenset[str]:
    """The objects without pods of the release that were Degraded before it came and have been since.

    `reason` is that of the look at `app`. One that was well in between is the release's own.
    """
    ill = frozenset(o.name for o in app.objects if o.health == "Degraded" and o.kind not in _RUNNING)
    well = frozenset(o.name for o in app.objects if o.health in ("Healthy", "Progressing", "Suspended"))
    return (known_ill | ill if reason in _EARLIER else known_ill) - well


def was_ill_before(app: Application, known_ill: frozenset[str]) -> bool:
    """Whether all Degraded objects were Degraded before the release was deployed."""
    ill = {o.name for o in app.objects if o.health == "Degraded"}
    return bool(ill) and ill <= known_ill


def suspended_for(app: Application) -> float:
    """Seconds for which it has been Suspended by Argo CD's own clock; 0 where it is not, or no time is known."""
    since, looked = _time(app.health_since), _time(app.reconciled)
    if app.health != "Suspended" or since is None or looked is None:
        return 0.0
    return max(0.0, (looked - since).total_seconds())


def confirmed(application: Application, settle: float) -> bool:
    """Whether Argo CD looked again `settle` seconds after the sync ended and the health turned, by its own clock.

    Otherwise many looks at one old document would count as a long time of being good.
    """
    begun = [_time(text) for text in (application.operation.finished, application.health_since) if text]
    looked = _time(application.reconciled)
    if looked is None or None in begun:
        return False
    return all(looked >= moment + timedelta(seconds=settle) for moment in begun if moment is not None)


def not_before(later: str, earlier: str) -> bool:
    """Whether one of Argo CD's times is not before another; false for an invalid time."""
    a, b = _time(later), _time(earlier)
    return a is not None and b is not None and a >= b


def _time(text: str) -> datetime | None:
    try:
        return moment(text)
    except ValueError:
        return None
