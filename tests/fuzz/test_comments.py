"""The grammar of comment commands: any text is a command, no command, or a Stop."""

from __future__ import annotations

import random

import pytest

from stagegate.comment.command import Command
from stagegate.comment.commands import COMMANDS
from stagegate.comment.parse import begins, parse
from tests.fuzz import engine

pytestmark = pytest.mark.fuzz
WORDS = (
    *(f"/{name}" for name in COMMANDS),
    "prod", "shop/prod", "all/prod", "all", "1.2.0", "1.2.0-rc.1", "v1.2.0", "for 2h", "for", "999999d", "evidence,order",
    "../x", "--help", "`", "```", "> ", "\n", "\r\n", "\r", "\t", " ", "  ", "\u00a0", "\u200b", "\ufeff", "\u202e", "\x00",
    "@octo", "<!-- -->", "<img src=x>", "![x](y)", "fixes #1", "a" * 300, "é" * 210, "\uff19", "/promote" * 50, "reason",
)  # fmt: skip


def body(chance: random.Random) -> str:
    text = "".join(
        chance.choice(WORDS) + chance.choice(["", " ", " ", "\n"]) for _ in range(chance.randint(1, 6))
    )
    return engine.spoiled(text, chance, WORDS)


def use(text: str) -> None:
    if not begins(text):
        return
    found = parse(text)
    assert isinstance(found, Command)
    assert text.startswith(f"/{found.name}")
    said = (found.app, found.environment, found.version, found.reason, found.until)
    assert not any("\n" in part or "\r" in part for part in said)


def test_any_comment_is_a_command_or_none() -> None:
    engine.run("comments", body, use)
