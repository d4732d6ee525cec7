"""Accepted differences: responses of GitHub that differ from its own descriptions."""

from __future__ import annotations

import re

# A pattern of the line that names a difference, and why it stays.
REASONS: tuple[tuple[str, str], ...] = (
    (
        r"labels\.\[\]\.description: None is not",
        "A label without description has null there; the schema of a label says so, that of a pull does not.",
    ),
    (
        r"GET /repos/[^ ]+/statuses/[0-9a-f]+: no such route",
        "The older address of a commit's statuses, which GitHub still serves and PyGithub uses.",
    ),
    (
        r": POST .*/issues/\{issue_number\}/labels takes",
        "GitHub accepts a bare list of labels too, as the text beside the schema states.",
    ),
)


def reason(line: str) -> str:
    """The reason to accept a difference, or nothing."""
    return next((why for pattern, why in REASONS if re.search(pattern, line)), "")
