"""Reads the changes in the commits of a release: each once, without reverted ones, by label before title."""

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
    """A commit since the last release. `counts`: it changes something of this app.

    `brings` are the commits that a merge added to the branch, oldest first (empty for other commits). `author` is a
    login or a name, `pull` the number of the pull request (0: unknown), `link` the address of the pull request or
    commit. `label` is the level that a label of the pull request sets, `none` for no release.
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
    """The changes that count, oldest first, the titles that were not readable, and warnings."""

    readings: tuple[CommitMeaning, ...]
    unread: tuple[str, ...]
    warnings: tuple[str, ...]


class _Entry(msgspec.Struct, kw_only=True):
    commit: CommitFact
    reading: CommitMeaning
    counted: bool = True

    @property
    def title(self) -> str:
        """The title that a revert names."""
        return self.reading.undoes or conventional.plain_title(self.commit.subject)

    def is_called(self, title: str) -> bool:
        """Whether this is its title. The quick first comparison is enough for most commits of a long history."""
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
    """Let a revert and the change it reverts cancel. A revert of an older release's change counts itself.

    The commits in its text identify the reverted changes. Without any, its title does.
    """
    shas, title = set(_REVERTED.findall(entry.commit.body)), entry.title
    candidates = [e for e in reversed(earlier.values()) if e.counted and _is_opposite(entry, e)]
    undone = [e for e in candidates if any(e.commit.sha.startswith(sha) for sha in shas)]
    entry.counted = len(undone) < len(shas)
    if not undone:
        undone = [e for e in candidates if e.is_called(title)][:1]
        entry.counted = not undone
    for reverted in undone:
        reverted.counted = False


def _is_opposite(revert: _Entry, earlier: _Entry) -> bool:
    """Whether one entry makes a change (or makes it again) and the other one reverts a change."""
    makes_change = earlier.reading.reapplies or not earlier.reading.undoes
    return makes_change != revert.reading.reapplies


def _once(merge: _Entry, brought: Iterable[_Entry]) -> None:
    """Count a change once where a merge and a commit that it adds have the same title."""
    title = merge.title
    for commit in brought:
        if commit.counted and commit.is_called(title):
            if RANK[commit.reading.level] > RANK[merge.reading.level]:
                merge.counted = False
                return
            commit.counted = False


def _labelled(entries: Iterable[_Entry]) -> None:
    """Give all commits of a pull request the level of its label.

    If none of them has a conventional title, the last one represents the change.
    """
    pulls: dict[int | str, list[_Entry]] = {}
    for entry in entries:
        if entry.commit.label and entry.counted:
            pulls.setdefault(entry.commit.pull or entry.commit.sha, []).append(entry)
    for commits in pulls.values():
        label = commits[-1].commit.label
        if label == "none":
            for entry in commits:
                entry.counted = False
            continue
        with_level = [entry for entry in commits if entry.reading.level]
        for entry in with_level or commits[-1:]:
            meaning = entry.reading
            if not with_level:
                meaning = CommitMeaning(level="patch", heading="Changed", text=_title(entry.commit))
            entry.reading = msgspec.structs.replace(meaning, level=label)


def _title(commit: CommitFact) -> str:
    """The title of a change; in GitHub's merge commits it is the first line of the body."""
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


@lru_cache(maxsize=256)  # many commits have few authors
def _name_of(author: str) -> str:
    return _NOT_A_NAME.sub("", author).strip()
