"""Calls in threads: results in the order of the calls, errors where they are awaited, and a limited number at once."""

from __future__ import annotations

import threading

import pytest

from stagegate.runner.workers import Workers


def test_results_and_errors_are_raised_where_they_are_awaited() -> None:
    with Workers(2) as workers:
        good, bad = workers.start(divmod, 7, 2), workers.start(divmod, 1, 0)
        assert good() == (3, 1)
        with pytest.raises(ZeroDivisionError):
            bad()


def test_the_number_of_threads_is_limited_and_all_end() -> None:
    together = threading.Barrier(2)
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        inside.append(number)
        most.append(len(inside))
        together.wait()  # ends only if two run at once
        inside.remove(number)
        together.wait()

    with Workers(2) as workers:
        for number in range(6):
            workers.start(work, number)
    assert len(most) == 6
    assert max(most) == 2
