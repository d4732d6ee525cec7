"""The mirror of "never ready while a pod could be old": a roll-out that becomes good is never failed.

Generated roll-outs go through disturbances, each for less long than docs/gate.md says it is endured, and end well.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gate.simulated import (
    BEFORE,
    GOOD,
    NEW,
    PROGRESSING,
    SYNC,
    Phase,
    Simulated,
    applied,
    condition,
    differs,
    failed_sync,
    health,
    old,
    out_of_sync,
    running,
    thing,
    waited,
)

PATIENCE, DEGRADED, STUCK = 300.0, 120.0, 30.0
DENIED = (403, {"message": "permission denied"})
# Disturbance -> the longest time for which the gate endures it.
DISTURBANCES = {
    "comparison": (Phase(1.0, condition("ComparisonError", "chart shop:1.1.0: not found")), PATIENCE),
    "repository": (Phase(1.0, condition("ComparisonError", "dial tcp: connection refused")), PATIENCE),
    "invalid": (Phase(1.0, condition("InvalidSpecError", "not permitted")), PATIENCE),
    "failed": (Phase(1.0, failed_sync("hook failed")), PATIENCE),
    "degraded": (Phase(1.0, health("Degraded", "", thing("Deployment", "Degraded"))), DEGRADED),
    "autoscaler": (
        Phase(1.0, health("Degraded", "", thing("HorizontalPodAutoscaler", "Degraded"))),
        DEGRADED,
    ),
    "wipe-out": (Phase(1.0, condition("SyncError", "auto-sync will wipe out all", "OutOfSync")), STUCK),
    "prune": (Phase(1.0, differs(requiresPruning=True)), STUCK),
    "drift": (Phase(1.0, differs()), STUCK),
    "aborted": (Phase(1.0, health("Degraded", "", thing("Rollout", "Degraded", "RolloutAborted"))), STUCK),
    "away": (Phase(1.0, answer=(None, "")), PATIENCE),
    "denied": (Phase(1.0, answer=DENIED), PATIENCE),
    "gateway": (Phase(1.0, answer=(502, "<html></html>")), PATIENCE),
    "old": (Phase(1.0, old), 900.0),
    "stale": (Phase(1.0, applied, compared=False), 900.0),
    "waiting": (Phase(1.0, out_of_sync), 900.0),
    "running": (Phase(1.0, running), 900.0),
    "progressing": (Phase(1.0, PROGRESSING), 900.0),
    "missing": (Phase(1.0, health("Missing")), 900.0),
    "unknown": (Phase(1.0, health("Unknown")), 900.0),
    "suspended": (Phase(1.0, health("Suspended")), 900.0),
    "paused": (Phase(1.0, health("Suspended", "", thing("Rollout", "Suspended"))), 900.0),
}
# Between two equal disturbances another state is shown for a moment, so that each is counted alone.
steps = st.lists(
    st.tuples(st.sampled_from(sorted(DISTURBANCES)), st.floats(0.2, 0.93), st.sampled_from([3.0, 8.0, 20.0])),
    min_size=1,
    max_size=8,
)


@pytest.mark.fuzz
@settings(max_examples=25, deadline=None)
@given(before=steps, after=steps, lost=st.integers(0, 3), streams=st.booleans())
def test_a_roll_out_that_becomes_good_never_fails(
    before: list[tuple[str, float, float]],
    after: list[tuple[str, float, float]],
    lost: int,
    streams: bool,
) -> None:
    phases = [*BEFORE]
    for listed, between in ((before, out_of_sync), (after, PROGRESSING)):
        for name, share, pause in listed:
            phase, longest = DISTURBANCES[name]
            # A look comes up to 2 s after the phase begins, and another one as long after its end.
            phases += [phase._replace(seconds=share * (longest - 3.0)), Phase(pause, between)]
        phases += SYNC if between is out_of_sync else []
    world = Simulated([*phases, GOOD], lost=lost, streams=streams)
    found, seconds = waited(world, timeout=100_000.0, canary=100_000.0)
    assert (found.outcome, found.seen[0].revision) == ("ready", NEW), found
    good_from = sum(phase.seconds for phase in phases)
    assert good_from <= seconds <= good_from + 60


def test_the_same_disturbances_for_longer_end_a_wait() -> None:
    """The property has a meaning only if each disturbance ends a wait when it lasts longer."""
    ends: dict[str, str] = {}
    for name, (phase, longest) in DISTURBANCES.items():
        if longest < 900 and phase.answer is None:
            world = Simulated([*BEFORE, *SYNC, Phase(3.0, PROGRESSING), phase._replace(seconds=1e6)])
            try:
                ends[name] = waited(world)[0].outcome
            except Exception as error:  # noqa: BLE001  a Stop is an end too
                ends[name] = type(error).__name__
    assert set(ends.values()) == {"failed", "Stop"}, ends
