"""The YAML of most settings files: mappings, lists and plain words, read without a library.

Loading a YAML library takes longer than deciding a version. This reader knows a small part of the language in which
no two readers differ. It gives up at the first character outside of that part, and `plain_yaml` reads the document.
"""

from __future__ import annotations

from typing import Any

from stagegate.patterns import pattern

_ENTRY = pattern(r"([A-Za-z][A-Za-z0-9_-]*):(?: +(.+))?")
_VALUE = pattern(
    r"\"([^\"\\]*)\"|'([^']*)'"  # in quotes
    r"|([0-9]+[smhd]|[0-9]+\.[0-9]+\.[0-9]+)"  # a duration, a version
    r"|(0|[1-9][0-9]{0,8})"  # a whole number
    r"|([A-Za-z/][A-Za-z0-9_./@-]*(?:://[A-Za-z0-9_./@-]+)?)"  # a word, an address
)
_TEXT = pattern(
    r"[A-Za-z/][A-Za-z0-9_./@-]*(?: +[A-Za-z0-9_./@-]+|:[A-Za-z0-9_./@-]+)*"
)  # outside of brackets
_WORDS = {"true": True, "false": False}
LIKE_BOOLEANS = frozenset({"yes", "no", "on", "off", "y", "n", "null", "true", "false"})


class Unusual(Exception):
    """Something that this reader leaves to the next one."""


def load(content: bytes) -> Any:
    """The document as plain values. Unusual where another reader has to look."""
    text = content.decode("ascii", "replace")
    if not text.isascii() or not text.replace("\n", "").isprintable():
        raise Unusual
    lines = [_line(line) for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    if not lines or lines[0][0]:
        raise Unusual
    try:
        value, end = _block(lines, 0)
    except RecursionError as error:
        raise Unusual from error
    if end != len(lines):
        raise Unusual
    return value


def _line(line: str) -> tuple[int, str]:
    """Indentation and text of a line, without the comment behind it."""
    line, _, comment = line.partition(" #")
    if comment and ("'" in line or '"' in line):  # it may be inside of quotes
        raise Unusual
    text = line.strip(" ")
    return len(line) - len(line.lstrip(" ")), text


def _block(lines: list[tuple[int, str]], at: int) -> tuple[Any, int]:
    """The list or mapping that begins at a line, and the first line behind it."""
    indent, text = lines[at]
    return _list(lines, at, indent) if text[0] == "-" else _mapping(lines, at, indent)


def _list(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[list[Any], int]:
    items = []
    while at < len(lines) and lines[at][0] == indent and lines[at][1].startswith("- "):
        text = lines[at][1]
        rest = text[1:].lstrip(" ")
        if _ENTRY.fullmatch(rest):
            lines[at] = (indent + len(text) - len(rest), rest)
            value, at = _mapping(lines, at, lines[at][0])
        else:
            value, at = _inline(rest), at + 1
        items.append(value)
    return items, at


def _mapping(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[dict[str, Any], int]:
    entries: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent and lines[at][1][0] != "-":
        entry = _ENTRY.fullmatch(lines[at][1])
        if entry is None or entry[1] in entries or entry[1].lower() in LIKE_BOOLEANS:
            raise Unusual
        at += 1
        if entry[2]:
            entries[entry[1]] = _inline(entry[2])
        elif at < len(lines) and (
            lines[at][0] > indent or (lines[at][0] == indent and lines[at][1][0] == "-")
        ):
            entries[entry[1]], at = _block(lines, at)
        else:
            raise Unusual
    if not entries:
        raise Unusual
    return entries, at


def _inline(text: str) -> Any:
    """The value behind a key or a dash."""
    if text[0] not in "[{\"'0123456789" and text not in _WORDS:
        if text.lower() in LIKE_BOOLEANS or not _TEXT.fullmatch(text):
            raise Unusual
        return text
    value, end = _flow(text, 0)
    if end != len(text):
        raise Unusual
    return value


def _flow(text: str, at: int) -> tuple[Any, int]:
    """A value on one line, with brackets or without, and where it ends."""
    if text[at : at + 1] == "[":
        return _within(text, at, "]")
    if text[at : at + 1] == "{":
        return _within(text, at, "}")
    match = _VALUE.match(text, at)
    if match is None:
        raise Unusual
    double, single, special, number, word = match.groups()
    if number is not None:
        return int(number), match.end()
    if word is None:
        return next(one for one in (double, single, special) if one is not None), match.end()
    if word in _WORDS:
        return _WORDS[word], match.end()
    if word.lower() in LIKE_BOOLEANS:
        raise Unusual
    return word, match.end()


def _past(text: str, at: int) -> int:
    """The first place from here that is no space."""
    while text[at : at + 1] == " ":
        at += 1
    return at


def _within(text: str, at: int, close: str) -> tuple[Any, int]:
    """The list or mapping whose bracket is at a position, and where it ends."""
    items: list[Any] = []
    entries: dict[str, Any] = {}
    at = _past(text, at + 1)
    if text[at : at + 1] == close:
        return ([] if close == "]" else {}), at + 1
    while True:
        value, at = _flow(text, at)
        if close == "}":
            name = value
            if not isinstance(name, str) or name in entries or text[at : at + 2] != ": ":
                raise Unusual
            value, at = _flow(text, _past(text, at + 1))
            entries[name] = value
        items.append(value)
        at = _past(text, at)
        if text[at : at + 1] == close:
            return (items if close == "]" else entries), at + 1
        if text[at : at + 1] != ",":
            raise Unusual
        at = _past(text, at + 1)
