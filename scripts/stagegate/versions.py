"""Versions as SemVer 2 defines them: https://semver.org.

Written here because every run of version-bump compares versions, and loading a library for it takes longer than the
decision. The tests compare it with that library.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from stagegate.patterns import pattern

_NUMBER = r"(?:0|[1-9][0-9]*)"
_WORD = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = pattern(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_WORD}(?:\.{_WORD})*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)


class Version(NamedTuple):
    """A version. Compared by precedence: a pre-release is older than its version, and build metadata is ignored."""

    major: int
    minor: int = 0
    patch: int = 0
    prerelease: str | None = None
    build: str | None = None

    @classmethod
    def parse(cls, text: str) -> Version:
        """The version that a text is; ValueError when it is none."""
        return _parsed(text)

    @classmethod
    def is_valid(cls, text: str) -> bool:
        """Whether a text is a version; most tags of a large repository fail at their first character."""
        try:
            return text[:1].isdigit() and bool(_parsed(text))
        except ValueError:
            return False

    def finalize_version(self) -> Version:
        """The version that a pre-release announces."""
        return Version(self.major, self.minor, self.patch)

    def next_version(self, level: str) -> Version:
        """The version one step up; `level` is major, minor or patch."""
        if level == "major":
            return Version(self.major + 1)
        if level == "minor":
            return Version(self.major, self.minor + 1)
        return Version(self.major, self.minor, self.patch + 1)

    def compare(self, other: Version) -> int:
        """-1, 0 or 1 as this one is older than, equal to or newer than the other."""
        return (self > other) - (self < other)

    def __str__(self) -> str:
        prerelease = f"-{self.prerelease}" if self.prerelease is not None else ""
        build = f"+{self.build}" if self.build is not None else ""
        return f"{self.major}.{self.minor}.{self.patch}{prerelease}{build}"

    def __lt__(self, other: Any) -> bool:
        return _order(self) < _order(other)

    def __le__(self, other: Any) -> bool:
        return _order(self) <= _order(other)

    def __gt__(self, other: Any) -> bool:
        return _order(self) > _order(other)

    def __ge__(self, other: Any) -> bool:
        return _order(self) >= _order(other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and _order(self) == _order(other)

    def __hash__(self) -> int:
        return hash(_order(self))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Version:
    match = _SEMVER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not SemVer")
    major, minor, patch, prerelease, build = match.groups()
    return Version(int(major), int(minor), int(patch), prerelease, build)


def _order(version: Version) -> tuple[object, ...]:
    """What to compare: numbers as numbers and before words; a version without pre-release after all of them."""
    words = version.prerelease.split(".") if version.prerelease is not None else ()
    listed = tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words)
    return (version.major, version.minor, version.patch, version.prerelease is None, listed)


def compare(first: str, second: str) -> int | None:
    """-1, 0 or 1 as the first is older than, equal to or newer than the second; None if either is no version."""
    if not (Version.is_valid(first) and Version.is_valid(second)):
        return None
    return Version.parse(first).compare(Version.parse(second))


def is_newer(version: str, than: str) -> bool:
    """Whether a version certainly comes after another."""
    return compare(version, than) == 1


def is_older(version: str, than: str) -> bool:
    """Whether a version certainly comes before another."""
    return compare(version, than) == -1
