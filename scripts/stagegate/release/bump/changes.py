"""What the commits of a release amount to: each change once, reverted ones not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from stagegate.release import conventional
from stagegate.release.conventional import CommitMeaning

_REVERTED = re.compile(r"^This reverts commit ([0-9a-f]{7,40})", re.MULTILINE)


class CommitFact(msgspec.Struct, frozen=True, kw_only=True):
    """A commit since the last release, and whether anything it changed counts for this app.

    `brings` are the commits that a merge brought (none for others).
    """

    sha: str
    subject: str
    body: str
    counts: bool = True
    brings: tuple[str, ...] = ()


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The changes that count, oldest first, the commits without a readable title, and warnings."""

    readings: tuple[CommitMeaning, ...]
    unread: tuple[str, ...]
    warnings: tuple[str, ...]


class _Entry(msgspec.Struct, kw_only=True):
    commit: CommitFact
    reading: CommitMeaning
    title: str
    counted: bool = True


def read(commits: Sequence[CommitFact]) -> Changes:
    """The changes of commits given newest first."""
    entries: list[_Entry] = []
    unread, warnings = [], []
    for commit in reversed(commits):
        if not commit.counts:
            continue
        reading = conventional.read(commit.subject, commit.body)
        name = f"{commit.sha[:8]} {commit.subject[:80]}"
        if not reading.readable and not commit.brings:
            unread.append(name)
        if reading.warning:
            warnings.append(f"{name} {reading.warning}.")
        title = reading.undoes or conventional.plain_title(commit.subject)
        entry = _Entry(commit=commit, reading=reading, title=title)
        if reading.undoes:
            _take_back(entry, entries)
        elif commit.brings:
            _once(entry, entries)
        entries.append(entry)
    counted = tuple(entry.reading for entry in entries if entry.counted and entry.reading.level)
    return Changes(readings=counted, unread=tuple(unread), warnings=tuple(warnings))


def _take_back(entry: _Entry, earlier: list[_Entry]) -> None:
    """A revert and what it reverts cancel; where that is an older release's change, the revert counts itself."""
    named = _REVERTED.findall(entry.commit.body)
    for other in reversed(earlier):
        by_sha = any(other.commit.sha.startswith(sha) for sha in named)
        opposite = other.reading.reapplies or not other.reading.undoes
        fits = not opposite if entry.reading.reapplies else opposite
        if other.counted and fits and (by_sha or other.title == entry.title):
            other.counted = entry.counted = False
            return


def _once(entry: _Entry, earlier: list[_Entry]) -> None:
    """A merge with the title of a commit that it brings is that commit, now with its pull request."""
    for other in earlier:
        if other.counted and other.commit.sha in entry.commit.brings and other.title == entry.title:
            if conventional.RANK[other.reading.level] > conventional.RANK[entry.reading.level]:
                entry.counted = False
                return
            other.counted = False
