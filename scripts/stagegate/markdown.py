"""Foreign text in Markdown: shown, but unable to mention, close, link, forge a marker or skip a workflow.

GitHub acts on text: https://docs.github.com/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue
and https://docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.patterns import pattern

_GAP = "\u200b"  # invisible, and no word character for GitHub's matchers
_MENTION = pattern(r"@(?=[A-Za-z0-9])")
_ISSUE = pattern(r"#(?=\d)|(?<=\bGH)-(?=\d)", re.IGNORECASE)
_CLOSING = pattern(r"\b(c)(lose[sd]?|losing)\b|\b(f)(ix(?:e[sd])?)\b|\b(r)(esolve[sd]?)\b", re.IGNORECASE)
_SKIP = pattern(r"\[(?=\s*(?:skip ci|ci skip|no ci|skip actions|actions skip)\s*\])", re.IGNORECASE)
_SKIP_TRAILER = pattern(r"\bskip-(?=checks\s*:)", re.IGNORECASE)
_CONTROL = pattern(r"[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ADDRESS = pattern(r"https?://[^\s()<>|\\`\"']+")
_STRUCTURE = pattern(r"([\\`*_{}\[\]|~])")
_ACTIVE = pattern(r"([\\`*\[\]~]|^[ \t]*#(?=#{0,5}[ \t]))", re.MULTILINE)  # outside of code
_TICKS = pattern(r"`+")


class Safe(str):
    """Text that is already safe to stand in Markdown: templates leave it as it is."""

    __slots__ = ()


def plain(text: str) -> str:
    """Text for commit messages and titles: no mention, reference, closing keyword or skip directive acts."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n"))
    text = _MENTION.sub("@" + _GAP, text)
    text = _ISSUE.sub(lambda match: match[0] + _GAP, text)
    text = _CLOSING.sub(lambda m: "".join(g + (_GAP if len(g) == 1 else "") for g in m.groups() if g), text)
    text = _SKIP_TRAILER.sub("skip" + _GAP + "-", text)
    return _SKIP.sub("[" + _GAP, text)


def neutral(text: object) -> Safe:
    """Text for a Markdown body: as `plain`, with HTML and the markers of generated comments made visible.

    Code between backticks stays code. Links, images, headings and emphasis are shown as they were written.
    """
    if isinstance(text, Safe):
        return text
    parts = _by_code(str(text).replace("\r\n", "\n"))
    shown = (part if is_code else _ACTIVE.sub(_escaped, part) for part, is_code in parts)
    return _inert("".join(shown))


def _inert(text: str) -> Safe:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Safe(plain(escaped))


def _escaped(match: re.Match[str]) -> str:
    return match[0].replace("#", "\\#") if match[0].endswith("#") else "\\" + match[0]


def _by_code(text: str) -> Iterator[tuple[str, bool]]:
    """The parts of a text, and whether each is code: between two equal runs of backticks in one paragraph."""
    for paragraph in re.split(r"(\n[ \t]*\n)", text):
        position = 0
        runs = list(_TICKS.finditer(paragraph))
        while runs:
            first = runs.pop(0)
            closing = next((run for run in runs if len(run[0]) == len(first[0])), None)
            if closing is None:
                continue
            yield paragraph[position : first.start()], False
            yield paragraph[first.start() : closing.end()], True
            position = closing.end()
            runs = [run for run in runs if run.start() >= position]
        yield paragraph[position:], False


def reviewed(text: str) -> Safe:
    """Markdown of the repository itself, such as its changelog: headings, lists and links stay, all else is as in
    `neutral`. Pictures become links, so that no text makes a reader's browser ask another server."""
    return _inert(text.replace("![", "!\\["))


def cell(text: object) -> Safe:
    """Text for one table cell: one line, Markdown shown as it was written."""
    if isinstance(text, Safe):
        return text
    return _inert(_STRUCTURE.sub(r"\\\1", " ".join(str(text).split())))


def code(text: object) -> Safe:
    """Text as inline code whose backticks cannot be closed from inside; in a table too."""
    line = _CONTROL.sub("", " ".join(str(text).split())).replace("|", "\u2223")
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    tick = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Safe(f"{tick}{pad}{line}{pad}{tick}") if line else Safe("")


def link(text: object, url: str) -> Safe:
    """Text as a link, or as it is where the address is not one that Markdown can take as it stands."""
    shown = cell(text)
    return Safe(f"[{shown}]({url})") if _ADDRESS.fullmatch(url) else shown


def fence(text: object, language: str = "") -> Safe:
    """Text as a block of code whose fence is longer than any run of backticks inside."""
    body = _CONTROL.sub("", str(text).replace("\r\n", "\n"))
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    tick = "`" * max(3, longest + 1)
    return Safe(f"{tick}{language}\n{body.rstrip()}\n{tick}")


def shorten(text: str, limit: int, note: str) -> str:
    """At most `limit` characters, cut at a line's end, with `note` saying where the rest is."""
    if len(text) <= limit:
        return text
    kept = text[: max(0, limit - len(note) - 2)]
    return kept[: kept.rfind("\n") + 1 or len(kept)] + "\n" + note
