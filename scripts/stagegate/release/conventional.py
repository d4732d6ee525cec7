"""Reads conventional commits: which part of the version a commit increases, and its line in the changelog.

https://www.conventionalcommits.org/en/v1.0.0/ with the usual levels of types: feat increases minor, fix and
perf increase patch, `!` or a BREAKING CHANGE footer increases major (minor while the major version is 0).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from stagegate.patterns import pattern
from stagegate.release import breaking_change

Level = Literal["major", "minor", "patch"]
RANK: dict[Level | None, int] = {None: 0, "patch": 1, "minor": 2, "major": 3}

_HEADER = pattern(
    r"^(?P<type>[A-Za-z][A-Za-z0-9_-]*)(?:\((?P<scope>(?:[^()\r\n]|\([^()\r\n]*\))+)\))?"
    r"(?P<bang>!)?: +(?P<text>\S.*)$"
)
_BULLET = pattern(r"^[*-] +(.*)$")
_UNDONE = pattern(r'^(?P<word>Revert|Reapply) "(?P<text>.+)"(?: \(#\d+\))*$')
_NUMBER = pattern(r"(?: \(#\d+\))+$")
_LEVELS: dict[str, Level] = {"feat": "minor", "fix": "patch", "perf": "patch", "revert": "patch"}
_LOOKS_LIKE = {
    "feature": "feat",
    "features": "feat",
    "bugfix": "fix",
    "bug": "fix",
    "hotfix": "fix",
    "fixes": "fix",
}
_RELEASING = frozenset({*_LEVELS, "refactor"})  # types of commits that change what users get
_HEADINGS = {"feat": "Added", "fix": "Fixed", "perf": "Changed", "revert": "Changed"}


class CommitMeaning(msgspec.Struct, frozen=True, kw_only=True):
    """The effect of one commit: its level (None: no release), its changelog heading and its text.

    `readable` is false for a title of another form. `warning` reports a spelling that is counted, or ignored, other
    than the specification demands. `undoes` is the title that a revert (or the revert of a revert) names.
    `references` (pull requests or commits, as Markdown) and `authors` follow its line in the notes.
    """

    level: Level | None
    heading: str = ""
    text: str = ""
    breaking: bool = False
    readable: bool = True
    warning: str = ""
    undoes: str = ""
    reapplies: bool = False
    references: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


def read(subject: str, body: str) -> CommitMeaning:
    """The meaning of a commit from its first line and its other lines. A title of another form has no level."""
    subject = subject.strip()
    undone = _UNDONE.match(subject) if subject.startswith("Re") else None
    if undone:
        return _undone(undone["word"] == "Reapply", undone["text"])
    header = _HEADER.match(subject)
    if header is None:
        return _squashed(body)
    kind = header["type"].lower()
    footer, warning = breaking_change.announced(body, releasing=kind in _RELEASING)
    breaking = bool(header["bang"]) or footer
    if kind == "revert" and not breaking:
        return _undone(False, header["text"])
    level: Level | None = "major" if breaking else _LEVELS.get(kind)
    if level is None:
        if kind in _LOOKS_LIKE and not warning:
            usual = _LOOKS_LIKE[kind]
            warning = f"has the type {header['type']}, which causes no release; the usual type is {usual}"
        return CommitMeaning(level=None, warning=warning)
    if not breaking and not warning:
        warning = _hidden(body)
    scope = f"**{header['scope']}**: " if header["scope"] else ""
    return CommitMeaning(
        level=level,
        heading="Changed" if breaking else _HEADINGS.get(kind, "Changed"),
        text=scope + plain_title(header["text"]) + (" (breaking)" if breaking else ""),
        breaking=breaking,
        warning=warning,
    )


def scopes(subject: str) -> tuple[str, ...]:
    """The scopes of a title: `api` and `web` for `fix(api, web): tea`.

    A revert has those of the title it undoes.
    """
    subject = subject.strip()
    while undone := _UNDONE.match(subject):
        subject = undone["text"]
    header = _HEADER.match(subject)
    listed = (header["scope"] or "") if header else ""
    if header and not listed and header["type"].lower() == "revert":
        return scopes(header["text"])
    return tuple(scope.strip() for scope in listed.split(",") if scope.strip())


def plain_title(subject: str) -> str:
    """A title without the pull request numbers that a squash adds, to recognise the same change twice."""
    return _NUMBER.sub("", subject.strip()) if "(#" in subject else subject.strip()


def numbers(subject: str) -> tuple[int, ...]:
    """The pull request numbers at the end of a title."""
    tail = _NUMBER.search(subject.strip()) if "(#" in subject else None
    return tuple(int(number) for number in re.findall(r"\d+", tail[0])) if tail else ()


def bare_text(subject: str) -> str:
    """The text of a title without type, scope and numbers."""
    header = _HEADER.match(plain_title(subject))
    return header["text"].strip() if header else plain_title(subject)


def _hidden(body: str) -> str:
    """A warning where the list of a squash has a breaking change that the title does not announce."""
    if "!:" not in body:
        return ""
    items = (_BULLET.match(line) for line in body.splitlines() if "!:" in line)
    headers = (_HEADER.match(match[1]) for match in items if match)
    breaking = next((header[0] for header in headers if header and header["bang"]), "")
    return (
        f"lists the breaking change {breaking[:60]!r}, but the title of this commit has no `!`, so "
        "it does not count as a breaking change"
        if breaking
        else ""
    )


def _undone(reapplies: bool, text: str) -> CommitMeaning:
    """The meaning of a revert. `Revert "Revert ..."` and git's `Reapply ...` make the original change again."""
    inner = _UNDONE.match(text)
    while inner:
        reapplies = not reapplies if inner["word"] == "Revert" else reapplies
        text = inner["text"]
        inner = _UNDONE.match(text)
    title = plain_title(text)
    if not reapplies:
        return CommitMeaning(level="patch", heading="Changed", text=f"Revert: {title}", undoes=title)
    original = read(text, "")
    return CommitMeaning(
        level=original.level or "patch",
        heading=original.heading or "Changed",
        text=original.text or text,
        breaking=original.breaking,
        undoes=title,
        reapplies=True,
    )


def _squashed(body: str) -> CommitMeaning:
    """The meaning of GitHub's squash of several commits, which lists their titles: the highest level counts."""
    listed = [match[1] for line in body.splitlines() if (match := _BULLET.match(line))]
    readings = [read(title, "") for title in listed if _HEADER.match(title)]
    best = max(readings, key=lambda reading: RANK[reading.level], default=None)
    if best is None or best.level is None:
        return CommitMeaning(level=None, readable=bool(readings))
    footer, warning = breaking_change.announced(body, releasing=True)
    if footer and not best.breaking:
        return msgspec.structs.replace(
            best,
            level="major",
            heading="Changed",
            breaking=True,
            text=f"{best.text} (breaking)",
            warning=warning,
        )
    return best
