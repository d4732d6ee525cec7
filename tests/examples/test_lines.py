"""How much YAML a repository keeps: counted after a dump in block style, without comments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"
FIRST, FURTHER = 60, 15  # lines beside the build, of the first app and of each further one


def lines(document: Any) -> int:
    dumped: str = yaml.safe_dump(document, default_flow_style=False, sort_keys=False, width=10_000)
    return len(dumped.splitlines())


def beside_the_build(*folders: str) -> int:
    """Lines of all workflows of repositories, without the jobs that build."""
    total = 0
    for folder in folders:
        for file in sorted((EXAMPLES / folder / ".github/workflows").glob("*.y*ml")):
            document = yaml.safe_load(file.read_text())
            document["jobs"].pop("build", None)
            total += lines(document)
    return total


def test_every_list_item_and_key_counts_as_a_line() -> None:
    assert lines({"on": {"push": {"branches": ["main", "next"]}}, "jobs": {}}) == 6


def test_the_first_app_needs_sixty_lines() -> None:
    assert beside_the_build("shop") <= FIRST


@pytest.mark.parametrize("folders", [("two-repositories/app", "two-repositories/gitops"), ("monorepo",)])
def test_two_repositories_and_many_apps_need_no_more_lines(folders: tuple[str, ...]) -> None:
    assert beside_the_build(*folders) <= FIRST


def test_a_further_app_needs_fifteen_lines() -> None:
    """An app of the monorepo has settings of its own and no workflow."""
    settings = sorted((EXAMPLES / "monorepo/services").glob("*/stagegate.yaml"))
    assert len(settings) == 3
    assert max(lines(yaml.safe_load(path.read_text())) for path in settings) <= FURTHER
    assert not [path for path in EXAMPLES.glob("monorepo/services/**/.github") if path.is_dir()]
