"""CHANGELOG.md as keepachangelog.com describes: a new section above the older ones, the rest untouched."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stagegate.release.conventional import Reading

_SECTION = re.compile(r"^## ", re.MULTILINE)
_UNRELEASED = re.compile(r"^## \[?Unreleased\]?[^\n]*\n", re.MULTILINE | re.IGNORECASE)
_ORDER = ("Added", "Changed", "Fixed")


def notes(readings: Iterable[Reading], written: str = "") -> str:
    """The body of a section: what a person wrote under Unreleased, then the commits, oldest first."""
    lines: dict[str, dict[str, None]] = {}  # each line once, in the order of its first commit
    for reading in readings:
        if reading.level:
            lines.setdefault(reading.heading, {})[f"- {reading.text}"] = None
    parts = [f"### {heading}\n\n" + "\n".join(lines[heading]) for heading in _ORDER if heading in lines]
    return "\n\n".join(part for part in (written.strip(), *parts) if part)


def unreleased(content: str) -> str:
    """What stands under the heading Unreleased, or nothing."""
    found = _UNRELEASED.search(content)
    if found is None:
        return ""
    following = _SECTION.search(content, found.end())
    return content[found.end() : following.start() if following else len(content)].replace("\r", "").strip()


def add(content: str, version: str, date: str, body: str) -> str:
    """The changelog with a section for the version; the heading Unreleased stays, emptied, line ends too.

    A version that has a section already is left as it is, so that a re-run changes nothing.
    """
    if has(content, version):
        return content
    end = "\r\n" if "\r\n" in content else "\n"
    section = f"## [{version}] - {date}\n\n{body}\n\n".replace("\n", end)
    found = _UNRELEASED.search(content)
    if found:
        following = _SECTION.search(content, found.end())
        rest = content[following.start() :] if following else ""
        return content[: found.end()] + end + section + rest
    first = _SECTION.search(content)
    if first is None:
        head = content.rstrip()
        return (head + end * 2 if head else f"# Changelog{end}{end}") + section.rstrip() + end
    return content[: first.start()] + section + content[first.start() :]


def has(content: str, version: str) -> bool:
    """Whether exactly this version has a section (1.0.71-rc.1 is not 1.0.71)."""
    return bool(re.search(rf"^## \[?{re.escape(version)}\]?(?:[ \t\r].*)?$", content, re.MULTILINE))


def section(content: str, version: str) -> str:
    """The body of a version's section, or nothing."""
    found = re.search(rf"^## \[?{re.escape(version)}\]?(?:[ \t\r].*)?$", content, re.MULTILINE)
    if found is None:
        return ""
    following = _SECTION.search(content, found.end())
    return content[found.end() : following.start() if following else len(content)].replace("\r", "").strip()
