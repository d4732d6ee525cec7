"""Runs that write to one branch at the same time retry for a limited time, and not at the same moments."""

from __future__ import annotations

import itertools

import pytest

from stagegate.errors import Stop
from stagegate.runner.retries import Retries

MOVED = Stop(
    "stale-base", "main changed while stagegate was running.", "Another run committed.", "Run it again."
)


def pauses(*shares: float) -> list[float]:
    """Every pause until the time is over; each attempt itself takes a second."""
    now, taken, given = [0.0], list[float](), itertools.cycle(shares)

    def sleep(seconds: float) -> None:
        taken.append(seconds)
        now[0] += seconds + 1

    retries = Retries(sleep, lambda: now[0], lambda: next(given))
    with pytest.raises(Stop) as raised:
        while True:
            retries.wait(MOVED, "Reading everything")
    assert raised.value is MOVED
    assert now[0] <= 61
    return taken


def test_retries_end_in_time_and_two_runs_wait_for_different_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STAGEGATE_RETRY_PACE")
    one, other = pauses(0.3, 0.9), pauses(0.8, 0.1)
    assert len(one) > 10
    assert max(one) <= 10
    assert not set(one) & set(other)
