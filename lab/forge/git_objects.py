"""Git's objects and differences as values, and reading them from git's own output."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone


@dataclass(frozen=True)
class Signature:
    """Name, address and moment (RFC 3339 UTC) of an author, committer or tagger."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A parsed commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str

    @property
    def headline(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]

    @property
    def body(self) -> str:
        """The message without its first line."""
        return self.message.partition("\n")[2].strip("\n")


@dataclass(frozen=True)
class Tag:
    """A parsed annotated tag."""

    sha: str
    target: str
    target_type: str
    name: str
    tagger: Signature | None
    message: str


@dataclass(frozen=True)
class Entry:
    """One line of a tree."""

    mode: str
    type: str
    sha: str
    size: int | None
    path: str


@dataclass(frozen=True)
class Change:
    """One changed file between two trees."""

    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int


def signature(text: str) -> Signature:
    name, _, address_and_date = text.partition(" <")
    email, _, moment = address_and_date.partition("> ")
    seconds = int(moment.split(" ")[0] or 0)
    return Signature(
        name, email, datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


def changes_of(lines: list[str]) -> list[Change]:
    """Changed files from the NUL-parted words of `git diff-tree -z --raw --numstat`: all names, then all counts."""
    names = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
    raw_changes: list[tuple[str, str | None, str, str]] = []
    position = 0
    while lines[position].startswith(":"):
        old_sha, new_sha, letter = lines[position].split()[2:5]
        moved = letter[0] in "RC"
        previous = lines[position + 1] if moved else None
        path = lines[position + (2 if moved else 1)]
        raw_changes.append((path, previous, names[letter[0]], old_sha if letter[0] == "D" else new_sha))
        position += 3 if moved else 2
    counts: dict[str, tuple[int, int]] = {}
    while position < len(lines) and lines[position]:
        added, removed, path = lines[position].split("\t")
        position += 1
        if not path:
            path, position = lines[position + 1], position + 2
        counts[path] = (0 if added == "-" else int(added), 0 if removed == "-" else int(removed))
    return [Change(*about, *counts.get(about[0], (0, 0))) for about in raw_changes]


def commit_of(sha: str, raw: bytes) -> Commit:
    """A commit from its raw content."""
    head, _, message = raw.decode(errors="replace").partition("\n\n")
    parents: list[str] = []
    fields: dict[str, str] = {}
    for line in head.splitlines():
        key, _, value = line.partition(" ")
        if key == "parent":
            parents.append(value)
        elif key:
            fields.setdefault(key, value)
    author, committer = signature(fields["author"]), signature(fields["committer"])
    return Commit(sha, fields["tree"], tuple(parents), author, committer, message.rstrip("\n"))


def tag_of(sha: str, raw: bytes) -> Tag:
    """An annotated tag from its raw content."""
    head, _, message = raw.decode(errors="replace").partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines() if " " in line)
    tagger = signature(fields["tagger"]) if "tagger" in fields else None
    return Tag(sha, fields["object"], fields["type"], fields["tag"], tagger, message)
