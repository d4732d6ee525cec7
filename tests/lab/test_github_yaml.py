"""Workflow files are read as a complete reader of YAML 1.2 reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from lab import github_yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(ROOT.glob(".github/workflows/*.yml"))
TEXTS = (
    "on",
    "yes",
    "0x1f",
    "010",
    "12:30:45",
    "true",
    "True",
    "1.5",
    "1e3",
    "~",
    "null",
    "",
    ".5",
    "+1",
    "v1",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_is_what_the_complete_reader_gives(file: Path) -> None:
    assert github_yaml.load(file.read_bytes()) == YAML(typ="safe", pure=True).load(file)


@pytest.mark.parametrize("text", TEXTS)
def test_a_plain_scalar_has_the_type_of_yaml_1_2(text: str) -> None:
    given = f"on: {text}\n"
    mine, theirs = github_yaml.load(given), YAML(typ="safe", pure=True).load(given)
    assert (mine, type(mine["on"])) == (theirs, type(theirs["on"]))


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(yaml.YAMLError):
        github_yaml.load("on: push\non: pull_request\n")
