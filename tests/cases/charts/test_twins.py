"""Charts with one fault and their twins without it: the right rule finds the fault, and no rule finds anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests import warm
from tests.cases.charts.check import cases_in, faults, start

HERE = Path(__file__).resolve().parent
CASES = cases_in(HERE)


def forked(_: Path, arguments: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> object:
    return warm.action("chart_check", arguments, cwd=cwd, environ=environ)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_chart_gets_its_findings_and_its_twin_none(case: Path) -> None:
    assert faults(HERE.parents[2], case, start if case == CASES[0] else forked) == []
