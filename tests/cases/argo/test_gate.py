"""The gate ends as expected with recordings of a real Argo CD, in virtual time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cases.argo import recorded, replay

HERE = Path(__file__).parent
CASES = [case for file in sorted((HERE / "situations").glob("*.json")) for case in replay.cases(file)]
RECORDINGS = sorted((HERE / "recordings").glob("*.jsonl"))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_document_gets_the_expected_verdict(case: dict[str, Any]) -> None:
    good, text = replay.replay(case)
    assert good, text


@pytest.mark.parametrize("file", RECORDINGS, ids=[file.stem for file in RECORDINGS])
def test_a_recorded_roll_out_ends_as_expected(file: Path) -> None:
    ended = recorded.run(file)
    assert ended.good, f"{ended.text}; expected {ended.expect}"


def test_a_recorded_roll_out_ends_as_expected_in_real_time_too() -> None:
    """The one test here that takes as long as Argo CD took: client, stream and threads."""
    ended = recorded.run(HERE / "recordings" / "nothing-changes.jsonl", real=True)
    assert ended.good, f"{ended.text}; expected {ended.expect}"
