"""Whether a JUnit report is within limits of size, and the counts that its suites state.

It comes from the software under test: nested, huge and contradictory files end as failed, never as passed.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

DEEPEST = 64  # nested elements
MOST = 50_000  # elements of all kinds
_COUNTS = ("failures", "errors")


class Unbounded(Exception):
    """The report is nested too deeply or too large."""


def claimed_failures(report: Path) -> int:
    """The largest number of failures and errors that a suite states. Unbounded, SyntaxError."""
    depth = elements = most = 0
    for event, element in ElementTree.iterparse(report, events=("start", "end")):  # noqa: S314  expat bounds entities
        if event == "end":
            depth -= 1
            element.clear()
            continue
        depth, elements = depth + 1, elements + 1
        if depth > DEEPEST:
            raise Unbounded(f"the report is nested more than {DEEPEST} levels deep")
        if elements > MOST:
            raise Unbounded(f"the report has more than {MOST} elements")
        if element.tag.rpartition("}")[2] in ("testsuite", "testsuites"):
            most = max(most, sum(_count(element.get(name)) for name in _COUNTS))
    return most


def seconds(case: object) -> float:
    """The seconds of a case; 0 for a text that is not a number."""
    try:
        duration = float(getattr(case, "time", None) or 0)
    except (TypeError, ValueError):
        return 0.0
    return round(duration, 3) if math.isfinite(duration) and duration >= 0 else 0.0


def _count(text: str | None) -> int:
    """A count of failures; one that cannot be read counts as one failure."""
    text = (text or "").strip()
    if not text:
        return 0
    return int(text) if text.isdecimal() and len(text) < 10 else 1
