"""Charts with one fault and their twins without it: the right rule finds the fault, and no rule finds anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.charts.check import cases_in, faults

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("case", cases_in(HERE), ids=lambda case: case.name)
def test_each_chart_gets_its_findings_and_its_twin_none(case: Path) -> None:
    assert faults(HERE.parents[2], case) == []
