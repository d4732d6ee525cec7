"""The pages: each command line has an existing command and flags, and each comment parses."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stagegate import cli
from stagegate.comment import parse
from stagegate.runner import definitions

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("README.md")])
_UVX = re.compile(r"uvx --from \S+ (?=stagegate )")
_FENCED = re.compile(r"^[ \t]*```.*?^[ \t]*```", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(r"^ *(?:\S+=\S+ )*((?:stagegate |/)[a-z][^\n`]*)$", re.MULTILINE)
_INLINE = re.compile(r"`((?:stagegate |/)[a-z][^`\n]*)`")
# The shape of a command, with names in brackets, is no command.
_SHAPE = re.compile(r"[<>\[\]]|\.\.\.")


def written(page: Path) -> set[str]:
    """The command lines and comments of a page, without comments of the shell."""
    text = _UVX.sub("", page.read_text())
    blocks = "\n".join(_FENCED.findall(text))
    typed = [*_TYPED.findall(blocks), *_INLINE.findall(_FENCED.sub("", text))]
    found = {re.split(r"\s{2,}#", line)[0].strip() for line in typed}
    return {line for line in found if not _SHAPE.search(line)}


ALL = {(page, text) for page in PAGES for text in written(page)}
LINES = sorted({text.partition(" > ")[0] for _, text in ALL if text.startswith("stagegate ")})
COMMENTS = sorted({text for _, text in ALL if text.startswith("/") and " " in text})


def test_the_pages_have_command_lines_and_comments() -> None:
    assert len(LINES) >= 20
    assert len(COMMENTS) >= 20


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_names_a_command_and_its_flags(line: str) -> None:
    words = cli._named(shlex.split(line)[1], shlex.split(line)[1:])
    command, *rest = words
    assert command in cli.commands()
    if command in cli.OWN:
        return
    known = definitions.read(cli.SHORT.get(command, (command,))[0]).inputs
    flags = [word[2:].partition("=")[0] for word in rest if word.startswith("--")]
    assert set(flags) <= {*known, "help", "json"}


@pytest.mark.parametrize("comment", COMMENTS)
def test_a_comment_parses(comment: str) -> None:
    assert parse.parse(comment).name == comment[1:].partition(" ")[0]
