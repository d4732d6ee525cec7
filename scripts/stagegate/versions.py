"""Compares versions. What is not SemVer 2 cannot be compared, and is neither newer nor older."""

from __future__ import annotations

import semver


def compare(first: str, second: str) -> int | None:
    """-1, 0 or 1 as the first is older than, equal to or newer than the second; None if either is no version."""
    if not (semver.Version.is_valid(first) and semver.Version.is_valid(second)):
        return None
    return semver.Version.parse(first).compare(second)


def is_newer(version: str, than: str) -> bool:
    """Whether a version certainly comes after another."""
    return compare(version, than) == 1


def is_older(version: str, than: str) -> bool:
    """Whether a version certainly comes before another."""
    return compare(version, than) == -1
