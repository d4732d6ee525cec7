"""Manifests as people keep them: each is edited correctly, or refused with a message that helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.pins.check import cases_in, outcome_of

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("case", cases_in(HERE), ids=lambda case: case.name)
def test_each_manifest_is_edited_or_refused_as_expected(case: Path) -> None:
    good, outcome, last = outcome_of(HERE.parents[2], case)
    assert good, f"{outcome}: {last}"
