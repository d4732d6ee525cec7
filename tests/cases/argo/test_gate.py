"""The gate ends as it may against what a real Argo CD showed: documents in virtual time, recordings as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cases.argo import recorded, replay

HERE = Path(__file__).parent
CASES = [case for file in sorted((HERE / "situations").glob("*.json")) for case in replay.cases(file)]
SHORT = 110  # seconds; longer recordings are for `recorded.py`
RECORDINGS = [
    file
    for file in sorted((HERE / "recordings").glob("*.jsonl"))
    if recorded.header(file)["expect"]["by"] <= SHORT
]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_document_is_judged_as_argo_cd_means_it(case: dict[str, Any]) -> None:
    good, text = replay.replay(case)
    assert good, text


@pytest.fixture(scope="module")
def ended() -> dict[str, recorded.Ended]:
    return {one.name: one for one in recorded.run_all(RECORDINGS)}


@pytest.mark.parametrize("name", [file.name for file in RECORDINGS])
def test_a_recorded_roll_out_ends_as_it_may(name: str, ended: dict[str, recorded.Ended]) -> None:
    assert ended[name].good, f"{ended[name].text}; expected {ended[name].expect}"
