"""One measurement is one row, with a ratio, because seconds differ between machines."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement beside another one, the ratio of the two, and the goal for that ratio.

    `ratio` is measured / compared; `good` is None where the goal is about another machine.
    """

    what: str
    measured: str
    compared: str
    ratio: float
    goal: str
    good: bool | None = None


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def cpu_seconds(call: Callable[[], object]) -> float:
    """How long processors work for one call, here and in its child processes: the same on a busy machine."""
    began = _worked()
    call()
    return _worked() - began


def side_by_side(
    times: int, *calls: Callable[[], object], clock: Callable[[Callable[[], object]], float] = seconds
) -> list[float]:
    """Median seconds of each call, taken in turns, so that a busy moment hits all of them."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(times):
        for call, column in zip(calls, taken, strict=True):
            column.append(clock(call))
    return [statistics.median(column) for column in taken]


def _worked() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | measured | compared with | ratio | goal | met |", "|---|---|---|---|---|---|"]
    marks = {True: "yes", False: "**no**", None: ""}
    lines += [
        f"| {row.what} | {row.measured} | {row.compared} | {row.ratio:.2f} | {row.goal} | {marks[row.good]} |"
        for row in rows
    ]
    return "\n".join(lines)
