"""Repeats an operation after another run wrote first."""

from __future__ import annotations

import time
from collections.abc import Callable

from stagegate.errors import Stop
from stagegate.runner import log, variables

BUDGET_PACES = 120  # one minute, at the normal pace of half a second
LONGEST_PACES = 20  # ten seconds
LEAST = 3  # further attempts, however long each of them takes


class Retries:
    """Bounded by time after a few attempts. Each pause is random, up to twice as long as the one before, so that
    runs which met once do not meet again. The unit is `STAGEGATE_RETRY_PACE`.
    """

    def __init__(
        self,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        share: Callable[[], float] | None = None,
    ) -> None:
        self._sleep, self._clock, self._share = sleep, clock, share
        self._pace = variables.retry_pace()
        self._end = clock() + BUDGET_PACES * self._pace
        self._longest = self._pace
        self._attempts = 0

    def wait(self, stop: Stop, doing: str) -> None:
        """Pause before the next attempt. Raises `stop` when the time is over."""
        pause = self._longest * (self._share or _random)()
        if self._attempts >= LEAST and self._clock() + pause > self._end:
            raise stop
        self._attempts += 1
        log.say(f"{stop.what} {stop.why} {doing} again in {pause:.1f} s.")
        self._longest = min(2 * self._longest, LONGEST_PACES * self._pace)
        self._sleep(pause)


def _random() -> float:
    import random  # with libraries of numbers, which a run that waits for nobody does not need

    return random.random()  # noqa: S311 - a pause, and no secret
