"""Conventional commits: which part of the version a commit moves, and what it says in the changelog.

https://www.conventionalcommits.org/en/v1.0.0/ with the usual reading of types: feat moves minor, fix and perf
move patch, `!` or a BREAKING CHANGE footer moves major (minor while the major version is 0).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

Level = Literal["major", "minor", "patch"]
RANK: dict[Level | None, int] = {None: 0, "patch": 1, "minor": 2, "major": 3}

_HEADER = re.compile(r"^(?P<type>[A-Za-z]+)(?:\((?P<scope>[^()\r\n]+)\))?(?P<bang>!)?: (?P<text>.+)$")
_REVERT = re.compile(r'^Revert "(?P<text>.+)"$')
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)
_LEVELS: dict[str, Level] = {"feat": "minor", "fix": "patch", "perf": "patch", "revert": "patch"}
_HEADINGS = {"feat": "Added", "fix": "Fixed", "perf": "Changed", "revert": "Changed"}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit means: the level it asks for (or None), its changelog heading and its text."""

    level: Level | None
    heading: str = ""
    text: str = ""
    breaking: bool = False


def read(subject: str, body: str) -> Reading:
    """The meaning of a commit from its subject and body; a subject of another form moves nothing."""
    subject = subject.strip()
    reverted = _REVERT.match(subject)
    if reverted:
        return Reading(level="patch", heading="Changed", text=f"Revert: {reverted['text']}")
    header = _HEADER.match(subject)
    if header is None:
        return Reading(level=None)
    kind = header["type"].lower()
    breaking = bool(header["bang"]) or bool(_BREAKING.search(body))
    level: Level | None = "major" if breaking else _LEVELS.get(kind)
    if level is None:
        return Reading(level=None)
    scope = f"**{header['scope']}**: " if header["scope"] else ""
    return Reading(
        level=level,
        heading="Changed" if breaking else _HEADINGS.get(kind, "Changed"),
        text=scope + header["text"].strip() + (" (breaking)" if breaking else ""),
        breaking=breaking,
    )
