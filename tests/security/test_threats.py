"""SECURITY.md: every row names an existing test, or who can still do it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in TEXT.partition("## What an attacker can try")[2].partition("\n## ")[0].splitlines()
    if line.startswith("|") and not line.startswith(("| through", "|---"))
]
SOURCES = (
    "pull request", "comment", "commit message", "chart", "values file", "registry", "Argo CD answer",
    "scenario target", "another workflow",
)  # fmt: skip


def test_the_table_has_every_source_of_attacks() -> None:
    assert {row[0] for row in ROWS} >= set(SOURCES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1][:40]}")
def test_a_row_names_a_test_or_who_can_still_attack(row: list[str]) -> None:
    assert len(row) == 4
    _, _, answer, named = row
    assert named or "**Still possible" in answer
    if named:
        found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", named)
        assert found, named
        path = ROOT / found[1]
        assert path.is_file(), path
        assert f"def {found[2]}(" in path.read_text(), named


def test_the_page_explains_how_to_report() -> None:
    assert "Report a vulnerability" in TEXT
    assert not re.search(r"[\w.]+@[\w-]+\.\w+", TEXT), "no address of a person"
