"""Outcome and exit code follow from the reason, by the table that docs/outcomes.md publishes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stagegate.errors import VERDICTS, Stop

ROOT = Path(__file__).resolve().parents[2]
CODES = {
    "done": {0},
    "nothing-to-do": {0},
    "waiting": {0},
    "refused": {1},
    "failed": {1, 2, 3, 4, 5},
    "bug": {70},
}


def test_every_reason_has_the_exit_codes_of_its_outcome() -> None:
    for reason, verdict in VERDICTS.items():
        assert verdict.exit_code in CODES[verdict.outcome], reason


def test_the_published_table_is_this_table() -> None:
    rows = re.findall(
        r"^\| (\d+) \| ([\w-]+) \| (.+) \|$", (ROOT / "docs" / "outcomes.md").read_text(), re.MULTILINE
    )
    published = {
        reason: (outcome, int(code))
        for code, outcome, reasons in rows
        for reason in re.findall(r"`([\w-]+)`", reasons)
    }
    assert published == {reason: tuple(verdict) for reason, verdict in VERDICTS.items()}


def test_every_reason_in_the_code_is_in_the_table() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "scripts").rglob("*.py"))
    used = set(re.findall(r'Stop\(\s*"([\w-]+)"', sources))
    assert used <= VERDICTS.keys()


def test_a_reason_outside_the_table_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match="unknown reason"):
        Stop("whatever", "a", "b", "c")
