"""Compares two texts for people, so that every difference is visible."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

_CONTEXT = 3
_COMPARED = 1_000  # lines
_HEADER = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")
_LINES = 40
_LONG = 160
_AROUND = 60


def hunks(before: str, after: str) -> str:
    """The lines that differ with three around them, and whether the last line feed goes or comes.

    Of long texts only the first lines that differ are compared, because more are not shown, and comparing lines
    takes quadratic time.
    """
    skipped, old, new = _unlike(before, after)
    lines = [_moved(line, skipped) for line in difflib.unified_diff(old, new, n=_CONTEXT, lineterm="")][2:]
    if before.endswith("\n") != after.endswith("\n"):
        side = "after" if before.endswith("\n") else "before"
        lines.append(f"\\ No line feed at the end of the text {side}")
    return "\n".join(_cut(lines))


def changed(before: str, after: str) -> tuple[str, str]:
    """Only the lines that differ, on either side."""
    _, old_lines, new_lines = _unlike(before, after)
    lines = list(difflib.unified_diff(old_lines, new_lines, n=0, lineterm=""))[2:]
    old = [line[1:] for line in lines if line.startswith("-")]
    new = [line[1:] for line in lines if line.startswith("+")]
    return "\n".join(_cut(old)), "\n".join(_cut(new))


def _unlike(before: str, after: str) -> tuple[int, list[str], list[str]]:
    """How many equal lines are left out, and the lines of both texts after them, as many as are compared."""
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) <= _COMPARED:
        return 0, old, new
    pairs = enumerate(zip(old, new, strict=False))
    first = next((i for i, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = max(0, first - _CONTEXT)
    return start, old[start : start + _COMPARED], new[start : start + _COMPARED]


def _moved(line: str, skipped: int) -> str:
    """A line of a difference; the numbers of a header count from the beginning of the whole text."""
    header = _HEADER.fullmatch(line) if skipped else None
    if header is None:
        return line
    return f"@@ -{int(header[1]) + skipped}{header[2]} +{int(header[3]) + skipped}{header[4]} @@"


def visible(text: str) -> str:
    """White space that is easily overlooked, drawn: `·` a space, `→` a tab, `⍽` one that does not break."""
    drawn = text.replace("\t", "→").replace("\u00a0", "⍽").replace("\n", "↵").replace("\r", "␍")
    drawn = re.sub(r"^ +| +$| {2,}", lambda match: "·" * len(match[0]), drawn)
    return re.sub(r"[\u200b-\u200f\u2060\ufeff]", lambda match: f"\\u{ord(match[0]):04x}", drawn)


def around(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    """Long values cut so that the first difference is seen."""
    longest = max(len(before or ""), len(after or ""))
    if longest <= _LONG:
        return before, after
    start = 0
    if before is not None and after is not None:
        pairs = enumerate(zip(before, after, strict=False))
        first = next((i for i, (one, other) in pairs if one != other), min(len(before), len(after)))
        start = max(0, first - _AROUND)
    return _piece(before, start), _piece(after, start)


def _piece(text: str | None, start: int) -> str | None:
    if text is None:
        return None
    end = start + _LONG
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def _cut(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _LINES
    return [*lines[:_LINES], *([f"... {more} more lines"] if more > 0 else [])]
