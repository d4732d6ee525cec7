"""Faults that were reported of other release tools, each tried on stagegate as a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from tests.cases.bugs.run import HERE, cases, run

# It compares times, which other work on the machine changes: the bench measures it instead.
MEASURED = "30-big-lock-file"
ROOT = HERE.parents[2]
# Cases of pins, the pin guard and the gate that do not hold yet, with what is missing.
MISSING: dict[str, str] = {
    "31-suspended-by-design": "no setting says that a suspended resource is meant to be",
}


def _parameter(case: Path) -> ParameterSet:
    reason = MISSING.get(case.parent.name)
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(case, id=case.parent.name, marks=marks)


@pytest.mark.parametrize("case", [_parameter(case) for case in cases(HERE) if case.parent.name != MEASURED])
def test_the_right_behaviour_is_there(case: Path) -> None:
    code, words = run(case, ROOT)
    assert code == 0, words
