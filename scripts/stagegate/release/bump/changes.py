"""What the commits of a release amount to: each change once, reverted ones not at all, labels before titles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal

import msgspec

from stagegate.patterns import pattern
from stagegate.release import conventional
from stagegate.release.conventional import RANK, CommitMeaning

_REVERTED = pattern(r"^This reverts commit ([0-9a-f]{7,40})", re.MULTILINE)
_MERGE = pattern(r"Merge pull request #(\d+) from ")
_NOT_A_NAME = pattern(r"[^\w .'-]")


class CommitFact(msgspec.Struct, frozen=True, kw_only=True):
    """A commit since the last release, and whether anything it changed counts for this app.

    `brings` are the commits that a merge brought, oldest first (none for others). `author` is a login or a name,
    `pull` the number of the pull request (0: not known), `link` the address of the pull request or commit. `label`
    is the level that a label of the pull request asks for, `none` for no release.
    """

    sha: str
    subject: str
    body: str
    counts: bool = True
    brings: tuple[str, ...] = ()
    author: str = ""
    pull: int = 0
    link: str = ""
    label: Literal["", "major", "minor", "patch", "none"] = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The changes that count, oldest first, the commits without a readable title, and warnings."""

    readings: tuple[CommitMeaning, ...]
    unread: tuple[str, ...]
    warnings: tuple[str, ...]


class _Entry(msgspec.Struct, kw_only=True):
    commit: CommitFact
    reading: CommitMeaning
    counted: bool = True

    @property
    def title(self) -> str:
        """What a revert names it by."""
        return self.reading.undoes or conventional.plain_title(self.commit.subject)

    def is_called(self, title: str) -> bool:
        """Whether this is its title; most commits of a long history are told apart without reading theirs."""
        return title in (self.reading.undoes or self.commit.subject) and self.title == title


def read(commits: Sequence[CommitFact]) -> Changes:
    """The changes of commits given newest first."""
    entries: dict[str, _Entry] = {}
    unread, warnings = [], []
    for commit in reversed(commits):
        if not commit.counts:
            continue
        reading = conventional.read(commit.subject, commit.body)
        if not (reading.readable or commit.brings or commit.label):
            unread.append(_name(commit))
        if reading.warning:
            warnings.append(f"{_name(commit)} {reading.warning}.")
        entry = _Entry(commit=commit, reading=reading)
        if reading.undoes:
            _take_back(entry, entries)
        elif commit.brings:
            _once(entry, [entries[sha] for sha in commit.brings if sha in entries])
        entries[commit.sha] = entry
    _labelled(entries.values())
    counted = tuple(_noted(entry) for entry in entries.values() if entry.counted and entry.reading.level)
    return Changes(readings=counted, unread=tuple(unread), warnings=tuple(warnings))


def _name(commit: CommitFact) -> str:
    return f"{commit.sha[:8]} {commit.subject[:80]}"


def _take_back(entry: _Entry, earlier: dict[str, _Entry]) -> None:
    """A revert and what it reverts cancel; where that is an older release's change, the revert counts itself.

    The commits that its text names decide, of which there may be several, and otherwise its title.
    """
    named, title = set(_REVERTED.findall(entry.commit.body)), entry.title
    possible = [other for other in reversed(earlier.values()) if other.counted and _is_opposite(entry, other)]
    undone = [other for other in possible if any(other.commit.sha.startswith(sha) for sha in named)]
    entry.counted = len(undone) < len(named)
    if not undone:
        undone = [other for other in possible if other.is_called(title)][:1]
        entry.counted = not undone
    for other in undone:
        other.counted = False


def _is_opposite(entry: _Entry, other: _Entry) -> bool:
    """Whether one of two is a change, or made again, and the other one takes a change back."""
    makes = other.reading.reapplies or not other.reading.undoes
    return makes != entry.reading.reapplies


def _once(entry: _Entry, brought: Iterable[_Entry]) -> None:
    """A merge with the title of a commit that it brings is that commit, now with its pull request."""
    title = entry.title
    for other in brought:
        if other.counted and other.is_called(title):
            if RANK[other.reading.level] > RANK[entry.reading.level]:
                entry.counted = False
                return
            other.counted = False


def _labelled(entries: Iterable[_Entry]) -> None:
    """A label of a pull request decides for all its commits.

    Where none of them has a conventional title, the last one stands for the change.
    """
    pulls: dict[int | str, list[_Entry]] = {}
    for entry in entries:
        if entry.commit.label and entry.counted:
            pulls.setdefault(entry.commit.pull or entry.commit.sha, []).append(entry)
    for together in pulls.values():
        label = together[-1].commit.label
        if label == "none":
            for entry in together:
                entry.counted = False
            continue
        telling = [entry for entry in together if entry.reading.level]
        for entry in telling or together[-1:]:
            meaning = entry.reading
            if not telling:
                meaning = CommitMeaning(level="patch", heading="Changed", text=_title(entry.commit))
            entry.reading = msgspec.structs.replace(meaning, level=label)


def _title(commit: CommitFact) -> str:
    """The title of a change; GitHub's merge commits have it as the first line of their body."""
    merged = _MERGE.match(commit.subject) and commit.body.strip()
    title = commit.body.strip().splitlines()[0] if merged else commit.subject
    return conventional.bare_text(title)


def _noted(entry: _Entry) -> CommitMeaning:
    """The reading with its pull request, or else its commit, and its author."""
    commit, reading = entry.commit, entry.reading
    number = commit.pull or _pull(commit.subject)
    name = f"#{number}" if number else commit.sha[:7] if commit.link else ""
    reference = f"[{name}]({commit.link})" if commit.link else name
    author = _name_of(commit.author)
    return msgspec.structs.replace(
        reading,
        references=(reference,) if reference else (),
        authors=(author,) if author else (),
    )


def _pull(subject: str) -> int:
    """The number of the pull request that a title names, 0 for none."""
    merged = _MERGE.match(subject) if subject.startswith("Merge") else None
    if merged:
        return int(merged[1])
    numbers = conventional.numbers(subject)
    return numbers[-1] if numbers else 0


@lru_cache(maxsize=256)  # few people write many commits
def _name_of(author: str) -> str:
    return _NOT_A_NAME.sub("", author).strip()
