"""Adds a section to a changelog above the older ones; every other byte stays.

The form is the one that keepachangelog.com describes. Sections of other tools (`# [1.0.0](link) (date)`, `## 1.0.0
(date)`) are recognised by the version in their heading; headings inside code fences and comments are text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from stagegate.patterns import pattern
from stagegate.release.conventional import CommitMeaning

_VERSION = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_RELEASE = pattern(
    rf"^#{{1,3}} (?:[A-Za-z][\w-]* )?\[?v?(?P<version>{_VERSION})(?![\w.+-]).*$"
    rf"|^\[?v?(?P<underlined>{_VERSION})(?![\w.+-])[^\n]*\n(?:-{{3,}}|={{3,}})[ \t\r]*$",
    re.MULTILINE,
)
_SECTION = pattern(r"^## ", re.MULTILINE)
_UNRELEASED = pattern(r"^#{1,2} \[?Unreleased\]?[^\n]*(?:\n|$)", re.MULTILINE | re.IGNORECASE)
_HIDDEN = pattern(  # code fences and comments
    r"^(?P<fence> {0,3}(?:```+|~~~+))[^\n]*\n.*?(?:^ {0,3}(?:```+|~~~+)[ \t]*$|\Z)|^ {0,3}<!--.*?-->",
    re.MULTILINE | re.DOTALL,
)
_LINKS = pattern(r"(?:^\[[^\]\n]+\]: [^\n]*\n?)+\Z", re.MULTILINE)
_HEADING = pattern(r"^### +(.+?)[ \t]*$", re.MULTILINE)
# The link of Unreleased: compare/<newest tag>...HEAD
_COMPARE = pattern(
    rf"^\[Unreleased\]: (?P<start>\S+/)(?P<prefix>[^\s/]*?)(?P<previous>{_VERSION})(?P<head>\.\.\.?HEAD)[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
_ORDER = ("Added", "Changed", "Fixed")


def text(content: bytes) -> str:
    """The file as text; bytes that are not UTF-8 survive `data` unchanged."""
    return content.decode("utf-8", "surrogateescape")


def data(content: str) -> bytes:
    """The bytes of a text that came from `text`."""
    return content.encode("utf-8", "surrogateescape")


def notes(readings: Iterable[CommitMeaning], written: str = "") -> str:
    """The body of a section: the text under Unreleased (`written`), then the commits, oldest first.

    Each heading appears once: commits follow the text that a person wrote under the same heading.
    """
    lines: dict[str, dict[str, list[CommitMeaning]]] = {}  # each line once, in the order of its first commit
    for reading in readings:
        if reading.level:
            lines.setdefault(reading.heading, {}).setdefault(reading.text, []).append(reading)
    body = written.strip()
    for heading in _ORDER:
        if heading not in lines:
            continue
        listed = "\n".join(f"- {text}{_sources(commits)}" for text, commits in lines[heading].items())
        existing = _named(body, heading) if written else None
        if existing is None:
            body = f"{body}\n\n### {heading}\n\n{listed}".strip()
            continue
        following = _HEADING.search(_visible(body), existing.end())
        end = following.start() if following else len(body)
        body = f"{body[:end].rstrip()}\n{listed}\n\n{body[end:]}".strip()
    return body


def _named(body: str, heading: str) -> re.Match[str] | None:
    """The line of a heading in a text, in any case."""
    headings = _HEADING.finditer(_visible(body))
    return next((match for match in headings if match[1].lower() == heading.lower()), None)


def _sources(readings: Sequence[CommitMeaning]) -> str:
    """The pull requests or commits of a line and their authors, in parentheses; empty without any."""
    references = dict.fromkeys(reference for reading in readings for reference in reading.references)
    authors = dict.fromkeys(author for reading in readings for author in reading.authors)
    listed = ", ".join((*references, *authors))
    return f" ({listed})" if listed else ""


def unreleased(content: str) -> str:
    """The text under the heading Unreleased, or nothing."""
    if not content:
        return ""
    heading = _UNRELEASED.search(_visible(content))
    return _body(content, heading) if heading else ""


def add(content: str, version: str, date: str, body: str) -> str:
    """The changelog with a section for the version. The heading Unreleased stays, without its text.

    Line ends stay as they are. A version that already has a section keeps it, so that a re-run changes nothing.
    """
    if has(content, version):
        return content
    end = "\r\n" if "\r\n" in content else "\n"
    content = _linked(content, version, end)
    section = f"## [{version}] - {date}\n\n{body}\n\n".replace("\n", end)
    heading = _UNRELEASED.search(_visible(content))
    if heading:
        return content[: heading.end()] + end + section + content[_end(content, heading) :]
    newest = _RELEASE.search(_visible(content)) or _SECTION.search(_visible(content))
    if newest is None:
        head = content.rstrip()
        return (head + end * 2 if head else f"# Changelog{end}{end}") + section.rstrip() + end
    return content[: newest.start()] + section + content[newest.start() :]


def _linked(content: str, version: str, end: str) -> str:
    """The changelog with the links of Unreleased and the version, where Unreleased has a link."""
    match = _COMPARE.search(_visible(content))
    if match is None:
        return content
    start, prefix, previous, head = match.group("start", "prefix", "previous", "head")
    dots = head[:-4]
    lines = (
        f"{content[match.start() : match.start('start')]}{start}{prefix}{version}{head}",
        f"[{version}]: {start}{prefix}{previous}{dots}{prefix}{version}",
    )
    return content[: match.start()] + end.join(lines) + content[match.end("head") :]


def has(content: str, version: str) -> bool:
    """Whether exactly this version has a section (1.0.71-rc.1 is not 1.0.71)."""
    return _find(content, version) is not None


def section(content: str, version: str) -> str:
    """The body of a version's section, or nothing."""
    heading = _find(content, version)
    return _body(content, heading) if heading else ""


def _find(content: str, version: str) -> re.Match[str] | None:
    headings = _RELEASE.finditer(_visible(content))
    return next((match for match in headings if version in (match["version"], match["underlined"])), None)


def _body(content: str, heading: re.Match[str]) -> str:
    return content[heading.end() : _end(content, heading)].replace("\r", "").strip()


def _end(content: str, heading: re.Match[str]) -> int:
    """Where the section under a heading ends: at the next one, or before the links at the end of the file."""
    visible = _visible(content)
    starts = [
        match.start() for rule in (_RELEASE, _SECTION) if (match := rule.search(visible, heading.end()))
    ]
    links = _LINKS.search(visible, heading.end())
    return min([*starts, links.start() if links else len(content)])


def _visible(content: str) -> str:
    """The text with code fences and comments replaced by blanks, so that positions stay the same."""
    if not any(mark in content for mark in ("```", "~~~", "<!--")):
        return content
    return _HIDDEN.sub(lambda match: re.sub(r"[^\r\n]", " ", match[0]), content)
