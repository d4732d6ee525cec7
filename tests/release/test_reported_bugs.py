"""Faults that were reported of other release tools, each tried on stagegate as a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import warm
from tests.cases.bugs.run import HERE, cases, run, start

# This case compares times, which other work on the machine changes, so the bench measures it instead.
MEASURED = "30-big-lock-file"
ROOT = HERE.parents[2]
CASES = [case for case in cases(HERE) if case.parent.name != MEASURED]


def forked(case: Path, cwd: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return warm.script(case, cwd=cwd, environ=environ)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_each_reported_fault_is_absent(case: Path) -> None:
    code, words = run(case, ROOT, start if case == CASES[0] else forked)
    assert code == 0, words
