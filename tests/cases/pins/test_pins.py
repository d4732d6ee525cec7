"""Manifests as people keep them: each is edited right, or refused with the words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.pins.check import cases_in, outcome_of

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("case", cases_in(HERE), ids=lambda case: case.name)
def test_case(case: Path) -> None:
    good, outcome, last = outcome_of(HERE.parents[2], case)
    assert good, f"{outcome}: {last}"
