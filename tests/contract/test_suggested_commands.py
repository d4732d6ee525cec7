"""The parser accepts every comment command that a message suggests, with example values filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate.comment import parse
from stagegate.comment.commands import COMMANDS

SOURCES = Path(__file__).resolve().parents[2] / "scripts" / "stagegate"
NAMES = "|".join(sorted(COMMANDS))
MENTIONED = re.compile(rf"/(?:{NAMES})\b")  # to parse only files that can hold one
# A command in backticks, or a text that is nothing but a command.
WRITTEN = re.compile(rf"`(/(?:{NAMES})(?: [^`]*)?)`|^(/(?:{NAMES})(?: .*)?)$")
WORDS = {
    "environment": "prod",
    "version": "1.2.3",
    "place": "shop/prod",
    "app": "shop",
    "reason": "it is broken",
}


def texts(file: Path) -> Iterator[str]:
    """The texts of a file; a value that is filled in appears as `<its last name>`."""
    content = file.read_text(encoding="utf-8")
    if file.suffix == ".j2":
        yield content
        return
    if not MENTIONED.search(content):
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else f"<{ast.unparse(part).rstrip('}')}>"
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def suggested() -> Iterator[tuple[str, str]]:
    for file in sorted((*SOURCES.rglob("*.py"), *SOURCES.rglob("*.j2"))):
        for text in texts(file):
            for found in WRITTEN.finditer(text):
                yield str(file.relative_to(SOURCES)), found[1] or found[2]


def filled(command: str) -> str:
    """The command with a value for everything in angle brackets."""

    def value(found: re.Match[str]) -> str:
        name = re.split(r"[._{]", found[1].strip("'\""))[-1]
        return WORDS.get(name, "shop/prod" if "/" in name else name)

    return re.sub(r"<([^<>]*)>", value, command)


SUGGESTED = sorted({(file, command) for file, command in suggested() if "[" not in command})


def test_suggested_commands_are_found() -> None:
    assert len(SUGGESTED) >= 15


@pytest.mark.parametrize(("file", "command"), SUGGESTED)
def test_the_parser_accepts_every_suggested_command(file: str, command: str) -> None:
    if command.startswith("/") and " " not in command.strip():
        assert command.strip("/ ") in NAMES.split("|"), f"{file} names the command alone"
    else:
        assert parse.parse(filled(command)).name in NAMES.split("|"), file
