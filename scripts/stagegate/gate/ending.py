"""Combines the states of an environment's Applications: keep waiting, or end. Pure except for the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from stagegate.gate import health
from stagegate.gate.expected import Expected
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Failed, Judgement, Ready, Superseded
from stagegate.gate.progress import Progress
from stagegate.gate.trouble import PASSING
from stagegate.model import ApplicationSeen


def verdict(
    states: Mapping[str, Progress], order: Order, waited: float, paused: float = 0.0
) -> Rollout | None:
    """The end of the wait, or None to go on. `paused` of the seconds `waited` were a canary's, which the timeout
    does not count. Stop when Argo CD itself was away at the end."""
    judged = [state.judgement for state in states.values()]
    enough = order.minimum or len(judged)
    failed = [j for j in judged if isinstance(j, Failed)]
    newer = [j for j in judged if isinstance(j, Superseded)]
    if newer:
        return ended("superseded", newer[0], states, waited, paused)
    if sum(isinstance(j, Ready) for j in judged) >= enough:
        return ended("ready", next(j for j in judged if isinstance(j, Ready)), states, waited, paused)
    if len(judged) - len(failed) < enough:
        return ended("failed", failed[0], states, waited, paused)
    if waited - paused < order.timeout:
        return None
    stuck = next((s.trouble for s in states.values() if s.trouble and s.trouble.reason in PASSING), None)
    if stuck is not None:
        raise stuck
    slow = next(j for j in judged if not isinstance(j, Ready))
    return ended("timeout", slow, states, waited, paused)


def overdue_canary(
    states: Mapping[str, Progress], expected: Expected, waited: float, paused: float
) -> Rollout | None:
    """The end of a wait for a canary that paused longer than it may, or longer than this wait stays.

    Neither is a failure of the release.
    """
    for state in states.values():
        if state.judgement.reason != "canary":
            continue
        lasted = max(paused, health.suspended_for(state.seen) if state.seen else 0.0)
        if lasted >= expected.canary:
            return ended("timeout", state.judgement, states, waited, paused)
        if paused >= expected.canary_in_job:
            return ended("paused", state.judgement, states, waited, paused)
    return None


def ended(
    outcome: Literal["ready", "failed", "superseded", "timeout", "paused"],
    judgement: Judgement,
    states: Mapping[str, Progress],
    waited: float,
    paused: float = 0.0,
) -> Rollout:
    """The end of a wait, with the Applications for the checks."""
    late = [s.name for s in states.values() if outcome == "ready" and not isinstance(s.judgement, Ready)]
    looked_at = [state for state in states.values() if state.name not in late]
    failing = next(filter(None, map(_failing, states.values())), "") if outcome == "timeout" else ""
    return Rollout(
        outcome=outcome,
        reason=judgement.reason,
        detail=judgement.detail + (f"; the gate did not wait for {', '.join(late)}" if late else ""),
        seen=tuple(_seen(state) for state in looked_at),
        documents=tuple(state.document for state in looked_at),
        seconds=round(waited, 1),
        paused=round(paused, 1),
        failing=failing,
    )


def _failing(state: Progress) -> str:
    """The workloads of this release that were failing at the timeout; none before its sync."""
    if state.judgement.reason in ("degraded", "canary-aborted", "progressing", "syncing"):
        if state.stuck.text:
            return state.stuck.text
        if state.seen is not None and state.judgement.reason != "syncing":
            return health.failing_workload(state.seen)
    return ""


def _seen(state: Progress) -> ApplicationSeen:
    revisions = state.seen.revisions if state.seen else ()
    healthy = state.seen.health_since if state.seen and state.seen.health == "Healthy" else ""
    revision = ", ".join(r for r in revisions if r)
    return ApplicationSeen(source="api", name=state.name, revision=revision, healthy_since=healthy)
