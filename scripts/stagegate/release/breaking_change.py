"""Detects whether the text of a commit announces a breaking change, and warns about doubtful spellings."""

from __future__ import annotations

import re

from stagegate.patterns import pattern

_BREAKING = pattern(r"^BREAKING[ -]CHANGE(?P<mark>: | #|:?$)")
_NEARLY = pattern(r"^[ \t*_#>-]*BREAKING[ -]CHANGES?[*_ ]*(?::|$)", re.IGNORECASE)
_FOOTER = pattern(r"^(?:[A-Za-z][A-Za-z0-9-]*|BREAKING CHANGE)(?:: | #)\S")
_COUNTED = ", but is counted as a breaking change"
_FENCE = pattern(r"^ {0,3}(```+|~~~+)")
_BULLET = pattern(r"^[*-] +(.*)$")


def announced(body: str, *, releasing: bool) -> tuple[bool, str]:
    """Whether a body has a BREAKING CHANGE footer, and a warning where its spelling leaves doubt (empty: none).

    A footer begins a line after an empty line or another footer, outside code fences and quotations. The text after
    it belongs to it. `releasing` is true for commit types that usually cause a release, such as feat. In a commit
    of another type (such as an update that quotes release notes), text after the footer, or a line with a colon
    before it, marks a quotation.
    """
    if "breaking" not in body.lower():
        return False, ""
    doubt = ""
    after_title = not body.startswith("\n")
    paragraphs = _paragraphs(body)
    for number, lines in enumerate(paragraphs):
        for at, line in enumerate(lines):
            match = _BREAKING.match(line)
            if match is None:
                continue
            first = at == 0 or all(_FOOTER.match(before) for before in lines[:at])
            parted = first or lines[at - 1].startswith((" ", "\t"))
            if not parted and not releasing:
                doubt = (
                    "mentions BREAKING CHANGE inside a paragraph, which does not count as a breaking change"
                )
                continue
            before = paragraphs[number - 1][-1] if number else ""
            prose = any(not _is_footer(after) for after in paragraphs[number + 1 :])
            introduced = before.rstrip().endswith(":")
            quoted = (prose or introduced) if not releasing else prose and introduced
            if quoted:
                return (
                    False,
                    "mentions BREAKING CHANGE inside a quotation, which does not count as a breaking change",
                )
            if not match["mark"].strip():
                continue  # the words alone, as a heading or in a sentence
            if match["mark"] == ":":
                text = any(
                    following.strip()
                    for following in (*lines[at + 1 :], *(paragraphs[number + 1 : number + 2] or [[]])[0])
                )
                return text, f"has the text on the line after BREAKING CHANGE{_COUNTED}" if text else ""
            joined = not parted or (number == at == 0 and after_title)
            return True, f"has no empty line before BREAKING CHANGE{_COUNTED}" if joined else ""
    if not doubt and releasing and any(_NEARLY.match(line) for lines in paragraphs for line in lines):
        doubt = (
            "writes BREAKING CHANGE in a form that the specification does not define, so it does not count"
        )
    return False, doubt


def _paragraphs(body: str) -> list[list[str]]:
    """Paragraphs as lines, without code fences and quotations."""
    visible: list[str] = []
    fence = ""
    for line in body.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif not line.startswith(">"):
            visible.append(line.rstrip())
    return [
        paragraph.split("\n")
        for paragraph in re.split(r"\n\s*\n", "\n".join(visible).strip("\n"))
        if paragraph.strip()
    ]


def _is_footer(lines: list[str]) -> bool:
    """Whether a paragraph is trailers, a ruler or a list, which GitHub and people write after a footer."""
    return all(
        _FOOTER.match(line)
        or _BREAKING.match(line)
        or _BULLET.match(line)
        or line.startswith((" ", "\t"))
        or set(line) <= set("-*_= ")
        for line in lines
    )
