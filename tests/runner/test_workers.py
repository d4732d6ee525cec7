"""Calls in threads: results in the order of asking, errors where they are waited for, never more at once than said."""

from __future__ import annotations

import threading

import pytest

from stagegate.runner.workers import Workers


def test_results_and_errors_arrive_where_they_are_waited_for() -> None:
    with Workers(2) as workers:
        good, bad = workers.start(divmod, 7, 2), workers.start(divmod, 1, 0)
        assert good() == (3, 1)
        with pytest.raises(ZeroDivisionError):
            bad()


def test_no_more_at_once_than_said_and_all_ended_at_the_end() -> None:
    together = threading.Barrier(2)
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        inside.append(number)
        most.append(len(inside))
        together.wait()  # two are let in, or this never ends
        inside.remove(number)
        together.wait()

    with Workers(2) as workers:
        for number in range(6):
            workers.start(work, number)
    assert len(most) == 6
    assert max(most) == 2
