"""Faults that were reported of other release tools, each tried on stagegate as a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.bugs.run import HERE, cases, run

# This case compares times, which other work on the machine changes, so the bench measures it instead.
MEASURED = "30-big-lock-file"
ROOT = HERE.parents[2]
CASES = [case for case in cases(HERE) if case.parent.name != MEASURED]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_each_reported_fault_is_absent(case: Path) -> None:
    code, words = run(case, ROOT)
    assert code == 0, words
