"""Parses a comment by a strict grammar over its whole text. A comment that does not fit in full is refused.

A comment is a command when it begins with `/` and the name of a command; every other comment gets no answer.
"""

from __future__ import annotations

import re
import unicodedata

from stagegate.comment.command import Command
from stagegate.comment.commands import COMMANDS
from stagegate.comment.definition import CommandDefinition
from stagegate.errors import Stop
from stagegate.versions import Version

LONGEST = 1_000
_GRAMMAR = {name: re.compile(definition.grammar) for name, definition in COMMANDS.items()}
_WORD = re.compile(rf"/({'|'.join(COMMANDS)})(?![^\s])")
_UNTIL = re.compile(r"(?P<reason>.*\S) for (?P<until>[1-9][0-9]{0,5}[smhd])")
_SEPARATOR = re.compile(" {2,}")
_SHORTEST, _LONGEST_REASON = 3, 200


def begins(body: str) -> bool:
    """Whether a comment begins as a command; other comments get no reply."""
    return _WORD.match(body) is not None


def parse(body: str) -> Command:
    """The command of a comment that begins as one. Stop(bad-input) when the rest does not fit."""
    word = _WORD.match(body)
    if word is None:
        raise _wrong(COMMANDS["help"], "The comment does not begin with one of the commands")
    definition = COMMANDS[word[1]]
    line = _SEPARATOR.sub(" ", _one_line(body, definition)).rstrip(" ")
    arguments = line[len(word[0]) :]
    match = _GRAMMAR[definition.name].fullmatch(arguments.removeprefix(" "))
    if match is None or (arguments and not arguments.startswith(" ")):
        raise _wrong(definition, "The words after the command do not match its form")
    parts = {key: value or "" for key, value in match.groupdict().items()}
    if parts.get("app") == "all" and not definition.takes_all:
        raise _wrong(definition, "This command works on one app and does not accept `all`")
    if (version := parts.get("version", "")) and not Version.is_valid(version):
        raise _wrong(definition, f"{version} is not a version such as 1.4.0 or 2.0.0-rc.1")
    reason, until = _reason(definition, parts.get("reason", ""))
    rules = tuple(dict.fromkeys(filter(None, parts.get("rules", "").split(","))))
    return Command(
        name=definition.name,
        app=parts.get("app", ""),
        environment=parts.get("environment", ""),
        version=version,
        reason=reason,
        until=until,
        rules=rules,
    )


def _one_line(body: str, definition: CommandDefinition) -> str:
    """The comment as one line of visible characters."""
    line = body.replace("\r\n", "\n").rstrip(" \n")
    if len(line) > LONGEST:
        raise _wrong(definition, f"The comment is longer than {LONGEST} characters")
    if "\n" in line:
        raise _wrong(definition, "A command must be the only line of its comment")
    for character in line:
        if character != " " and not _visible(character):
            point = f"U+{ord(character):04X}"
            raise _wrong(definition, f"The comment has an invisible character ({point})")
    return line


def _visible(character: str) -> bool:
    """Letters, marks, numbers, punctuation and symbols; no control, format, private or separating characters."""
    return unicodedata.category(character)[0] in "LMNPS"


def _reason(definition: CommandDefinition, text: str) -> tuple[str, str]:
    """The reason, and the duration at its end where the command takes one."""
    if not definition.takes_reason:
        return "", ""
    until = ""
    if definition.takes_duration and (match := _UNTIL.fullmatch(text)):
        text, until = match["reason"], match["until"]
    if not _SHORTEST <= len(text) <= _LONGEST_REASON:
        raise _wrong(definition, f"A reason must have {_SHORTEST} to {_LONGEST_REASON} characters")
    return text, until


def _wrong(definition: CommandDefinition, why: str) -> Stop:
    name = definition.name
    return Stop(
        "bad-input", f"The comment is not a valid {name} command.", f"{why}.", f"Write: {definition.usage}"
    )
