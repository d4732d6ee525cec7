"""Manifests as people keep them: each is edited correctly, or refused with a message that helps."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import warm
from tests.cases.pins.check import cases_in, outcome_of, start

HERE = Path(__file__).resolve().parent
CASES = cases_in(HERE)


def forked(_: Path, arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return warm.action("promote_pr", arguments, cwd=cwd, environ=os.environ)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_manifest_is_edited_or_refused_as_expected(case: Path) -> None:
    good, outcome, last = outcome_of(HERE.parents[2], case, start if case == CASES[0] else forked)
    assert good, f"{outcome}: {last}"
