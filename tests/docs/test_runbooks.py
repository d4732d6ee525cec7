"""The runbooks: each command line has the flags that exist, each comment parses, and the rest is tried elsewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stagegate import cli
from stagegate.comment import parse
from stagegate.runner import definitions

PAGE = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()
CODE = re.findall(r"^ *((?:stagegate |/)\S[^\n`]*)$|`((?:stagegate |/[a-z])[^`]*)`", PAGE, re.MULTILINE)
WRITTEN = sorted({one or other for one, other in CODE})
LINES = [text for text in WRITTEN if text.startswith("stagegate ")]
COMMENTS = [text for text in WRITTEN if text.startswith("/") and " " in text]


def test_something_is_tried() -> None:
    assert len(LINES) >= 6
    assert len(COMMENTS) >= 5


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_names_a_command_and_its_flags(line: str) -> None:
    words = cli._named(shlex.split(line)[1], shlex.split(line)[1:])
    command, *rest = words
    assert command in cli.commands()
    known = definitions.read(cli.SHORT.get(command, (command,))[0]).inputs
    flags = [word[2:].partition("=")[0] for word in rest if word.startswith("--")]
    assert flags
    assert set(flags) <= {*known}


@pytest.mark.parametrize("comment", COMMENTS)
def test_a_comment_parses(comment: str) -> None:
    assert parse.parse(comment).name == comment[1:].partition(" ")[0]
