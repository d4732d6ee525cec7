"""The filters of a workflow's events, as GitHub applies them.

https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#filter-pattern-cheat-sheet
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stagegate.argocd_app.sources import items

_KNOWN = {"**": ".*", "**/": "(?:.*/)?", "*": "[^/]*"}
_MARKS = re.compile(r"(\*\*/?|\*|\[[^\]]*\]|[?+])")


def passes(event: Mapping[str, Any], key: str, value: str) -> bool:
    """Whether a branch or path passes the filters `key` and `key-ignore` of an event.

    Of several patterns the last that matches decides, and `!` excludes.
    """
    included, unwanted = _patterns(event.get(key)), _patterns(event.get(f"{key}-ignore"))
    if unwanted:
        return not any(matches(pattern, value) for pattern in unwanted)
    passed = not included
    for pattern in included:
        if matches(pattern.removeprefix("!"), value):
            passed = not pattern.startswith("!")
    return passed


def matches(pattern: str, value: str) -> bool:
    """Whether a pattern matches: `*` stays in one folder, `**` does not; `?` and `+` are about the sign before."""
    parts = [
        _KNOWN.get(piece) or (piece if piece[:1] in "[?+" and piece else re.escape(piece))
        for piece in _MARKS.split(pattern)
    ]
    try:
        return re.fullmatch("".join(parts), value) is not None
    except re.error:
        return False


def example_of(pattern: str) -> str:
    """A branch that a pattern with `*` matches."""
    return re.sub(r"\*+", "1", pattern).replace("?", "1")


def _patterns(patterns: object) -> list[str]:
    return [patterns] if isinstance(patterns, str) else [str(item) for item in items(patterns)]
