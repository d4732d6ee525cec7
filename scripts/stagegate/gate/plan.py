"""The judge: compares a snapshot of an Application with the release that it should run. Pure.

Every reason that it can give is in `rollout_reasons`. The rules are those of `argocd app wait`, of
Kargo's and GitOps Promoter's health checks, and of the bugs they had.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from stagegate.argocd_app.status import Application
from stagegate.gate.error_words import does_not_exist
from stagegate.gate.expected import Expected
from stagegate.gate.health import confirmed, past_deadline
from stagegate.gate.look import classify
from stagegate.gate.rollout_reasons import RolloutReason
from stagegate.gate.synced import sync_error, synced_already


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Not yet."""

    reason: RolloutReason
    detail: str


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly this release runs, and has stayed good for the settle time."""

    reason: RolloutReason = "ready"
    detail: str = ""


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """It will not become good by waiting."""

    reason: RolloutReason
    detail: str


class Superseded(msgspec.Struct, frozen=True, kw_only=True):
    """Another release is wanted here by now."""

    reason: RolloutReason = "superseded"
    detail: str = ""


Judgement = Waiting | Ready | Failed | Superseded


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The observations of this wait so far; times are seconds of a monotonic clock.

    `limit` is how long the reason is endured (None: as long as the gate waits). With another limit it is another
    state under the same word, such as a sync that has not begun and one that ended and left a difference.
    `begun`: when Argo CD says that a Degraded state began. Another moment is another state, which was good between
    two looks.
    `certain`: a hard refresh has shown an error that waiting does not heal, and every look since has.
    """

    reason: RolloutReason | Literal[""] = ""
    limit: float | None = None
    begun: str = ""
    since: float = 0.0
    looks: int = 0
    was_good: bool = False
    refreshed: bool = False
    certain: bool = False


FATAL: tuple[RolloutReason, ...] = ("being-deleted",)
# Reasons that are valid without a refresh.
LIVE: tuple[RolloutReason, ...] = ("degraded", "canary-aborted", "wrong-source")
PATIENT: tuple[RolloutReason, ...] = ("comparison-error", "invalid-spec", "operation-failed")
STUCK = 30.0  # seconds after which a sync counts as refused when Argo CD reports that it will not begin
DEADLINE = (
    10.0  # seconds after which a passed progress deadline is not one that an earlier release left behind
)
AUTOSCALER = 20.0  # an autoscaler is Healthy until it first reads its metrics, after 15 s


def settle_time(application: Application, expected: Expected) -> float:
    """Seconds that an Application must stay good: longer than set while an autoscaler has not read its metrics."""
    scaled = any(item.name.startswith("HorizontalPodAutoscaler/") for item in application.objects)
    return max(expected.settle, AUTOSCALER) if scaled else expected.settle


def endured(reason: RolloutReason, application: Application, expected: Expected) -> float | None:
    """Seconds for which a reason is endured before it is final; None: as long as the gate waits."""
    short = min(STUCK, expected.patience)
    if reason == "degraded":
        gone = past_deadline(application) or (expected.cannot_start and application.health == "Degraded")
        return (
            min(max(expected.settle, DEADLINE), expected.degraded_after) if gone else expected.degraded_after
        )
    if reason == "operation-failed" and sync_error(application):
        return short
    if reason in PATIENT:
        return expected.patience
    stuck = reason in ("sync-error", "prune", "wrong-source", "canary-aborted")
    return short if stuck or (reason == "out-of-sync" and synced_already(application)) else None


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What one look showed: a reason with its sentence, how long it is endured (None: as long as the gate waits),
    how long `ready` must last, and whether whoever showed it looked late enough for that. `begun`: when a Degraded
    state began, in the words of whoever showed it. `for_good`: waiting does not heal it where a hard refresh shows
    it too."""

    reason: RolloutReason
    detail: str
    limit: float | None = None
    begun: str = ""
    settle: float = 0.0
    confirmed: bool = True
    for_good: bool = False


def observe(application: Application, expected: Expected) -> Observed:
    """A snapshot of an Application."""
    reason, detail = classify(application, expected)
    settle = settle_time(application, expected)
    return Observed(
        reason=reason,
        detail=detail,
        limit=endured(reason, application, expected),
        begun=application.health_since if reason == "degraded" else "",
        settle=settle,
        confirmed=confirmed(application, settle),
        for_good=reason == "comparison-error" and does_not_exist(application),
    )


def judge(application: Application, expected: Expected, history: History, now: float) -> Judgement:
    """The judgement on a snapshot. `history` is that of the earlier snapshots, from `remember`."""
    return decide(observe(application, expected), history, now)


def decide(observed: Observed, history: History, now: float) -> Judgement:
    """The judgement on a snapshot, given the earlier ones."""
    reason, detail, limit = observed.reason, observed.detail, observed.limit
    continues = _continues(history, observed)
    lasted = now - history.since if continues else 0.0
    looks = history.looks + 1 if continues else 1
    if reason == "refreshing" and history.reason == "ready":
        return Waiting(reason="settling", detail=detail)
    if reason == "superseded":
        return Superseded(detail=detail)
    if reason in FATAL:
        return Failed(reason=reason, detail=detail)
    if reason != "ready":
        refreshed = (continues and history.refreshed) or reason in LIVE
        if continues and history.certain and observed.for_good:
            return Failed(reason=reason, detail=f"{detail}, even after a hard refresh")
        if limit is not None and looks >= 3 and refreshed and lasted >= limit:
            return Failed(reason=reason, detail=f"{detail}; for {lasted:.0f} s")
        return Waiting(reason=reason, detail=detail)
    if looks < 2 or lasted < observed.settle:
        return Waiting(
            reason="settling",
            detail=f"{detail}; good for {lasted:.0f} of the required {observed.settle:.0f} s",
        )
    if not observed.confirmed:
        return Waiting(
            reason="settling", detail=f"{detail}; Argo CD has not compared the Application again since then"
        )
    return Ready(detail=detail)


def remember(
    history: History,
    application: Application,
    expected: Expected,
    now: float,
    *,
    refreshed: bool = False,
    hard: bool = False,
) -> History:
    """History with this look added.

    `refreshed` says that Argo CD had been asked to look again before it, `hard` that it had to forget what it knew.
    """
    return added(history, observe(application, expected), now, refreshed=refreshed, hard=hard)


def added(
    history: History, observed: Observed, now: float, *, refreshed: bool = False, hard: bool = False
) -> History:
    """The history with a snapshot added."""
    if observed.reason == "refreshing" and history.reason == "ready":
        return history  # our own requests for a refresh do not invalidate an observation
    if not _continues(history, observed):
        good = history.was_good or observed.reason == "ready"
        return History(
            reason=observed.reason,
            limit=observed.limit,
            begun=observed.begun,
            since=now,
            looks=1,
            was_good=good,
            refreshed=refreshed,
            certain=hard and observed.for_good,
        )
    return msgspec.structs.replace(
        history,
        looks=history.looks + 1,
        refreshed=history.refreshed or refreshed,
        certain=(hard or history.certain) and observed.for_good,
    )


def _continues(history: History, observed: Observed) -> bool:
    """Whether this snapshot shows the same state as the history."""
    earlier = (history.reason, history.limit, history.begun)
    return earlier == (observed.reason, observed.limit, observed.begun)
