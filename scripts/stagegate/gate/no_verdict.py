"""Failures that the release did not cause: the gate ends without a verdict. Pure.

A broken connection of Argo CD to a repository or a cluster, or an object that was Degraded before.
"""

from __future__ import annotations

from collections.abc import Mapping

from stagegate.errors import Stop
from stagegate.gate import health
from stagegate.gate.error_words import blames_connection
from stagegate.gate.order import Rollout
from stagegate.gate.progress import Progress


def demand(rollout: Rollout, states: Mapping[str, Progress]) -> None:
    """Stop when the release did not cause the failed wait."""
    if rollout.outcome == "ready":
        return
    for state in states.values():
        if state.seen is None or state.judgement.reason != rollout.reason:
            continue
        if blames_connection(rollout.reason, state.seen):
            raise Stop(
                "unreachable",
                "Argo CD cannot reach a registry, a Git server or a cluster.",
                f"{rollout.detail}.",
                "Check the registry, Git server or cluster that the message names, and Argo CD's credentials for "
                "it. Then run the gate again.",
            )
        if rollout.reason == "degraded" and health.was_ill_before(state.seen, state.ill_before):
            raise Stop(
                "unknown-state",
                f"{', '.join(sorted(state.ill_before))} was Degraded before this release was deployed.",
                f"{rollout.detail}. The release did not cause this problem, so the gate gives no verdict.",
                "Repair or remove the Degraded object, then run the gate again.",
            )
