"""Finds the position of a version in TOML and XML files.

Each function takes the text of a file and returns the first and the last character position of the value, or raises
`NotOnePlace`, whose text completes the sentence "<file> contains ...".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from stagegate.patterns import pattern

Span = tuple[int, int]
_TABLE = pattern(r"^[ \t]*(\[\[?)[ \t]*([^\[\]#\r\n]+?)[ \t]*\]\]?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_STRING = r"""(?:"(?P<a>[^"\\\r\n]*)"|'(?P<b>[^'\r\n]*)')"""
_LONG_STRING = pattern(r'("""|\'\'\').*?\1', re.DOTALL)


class NotOnePlace(Exception):
    """A file has no such value, or several."""


def in_toml(text: str, path: Sequence[str]) -> Span:
    """The characters inside the quotes of `key = "value"` in a table."""
    visible = _LONG_STRING.sub(
        lambda match: re.sub(r"[^\r\n]", " ", match[0]), text.replace("\ufeff", " ", 1)
    )
    *table, key = path
    spans = []
    for name, start, end in _tables(visible):
        keys = list(path[len(name) :]) if list(path[: len(name)]) == name else None
        if not keys:
            continue
        dotted = r"[ \t]*\.[ \t]*".join(
            rf"(?:{re.escape(step)}|\"{re.escape(step)}\"|'{re.escape(step)}')" for step in keys
        )
        rule = re.compile(rf"^[ \t]*{dotted}[ \t]*=[ \t]*{_STRING}[ \t]*(?:#[^\r\n]*)?\r?$", re.MULTILINE)
        spans += [_group(match) for match in rule.finditer(visible, start, end)]
    return _single(spans, f"no text {key} in the table [{'.'.join(table)}]" if table else f"no text {key}")


def in_lock(text: str) -> tuple[Span, ...]:
    """The versions of this repository's packages in Cargo.lock: those without a source, which share one version."""
    spans = []
    for block in re.finditer(r"^\[\[package\]\]\r?\n(.*?)(?=^\[|\Z)", text, re.MULTILINE | re.DOTALL):
        match = re.compile(rf"^version = {_STRING}", re.MULTILINE).search(text, block.start(1), block.end(1))
        if match and not re.search(r"^source = ", block[1], re.MULTILINE):
            spans.append(_group(match))
    versions = sorted({text[start:end] for start, end in spans})
    if len(versions) != 1:
        several = f"packages of this repository at several versions ({', '.join(versions)})"
        raise NotOnePlace(several if versions else "no package of this repository")
    return tuple(spans)


def in_pom(text: str) -> Span:
    """The text of project/version in a pom.xml, not that of its parent or a dependency.

    Where it refers to a property of the same file, as `${revision}`, the text of that property.
    """
    places = _elements(text, ["project", "version"])
    if len(places) != 1:
        raise NotOnePlace("no project/version (a module inherits its parent's)")
    reference = re.fullmatch(r"\$\{([A-Za-z0-9_.-]+)\}", text[slice(*places[0])])
    if reference is None:
        return places[0]
    return _single(_elements(text, ["project", "properties", reference[1]]), f"no property {reference[1]}")


def _elements(text: str, target: Sequence[str]) -> list[Span]:
    """The positions of the trimmed text of each element at a path."""
    from xml.parsers import expat

    parser = expat.ParserCreate()
    parser.buffer_text = True
    raw = text.encode("utf-8", "surrogateescape")
    path: list[str] = []
    places: list[int] = []

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2])
        if path == target:
            places.append(raw.index(b">", parser.CurrentByteIndex) + 1)

    def end(_: str) -> None:
        if path == target:
            places.append(parser.CurrentByteIndex)
        path.pop()

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise NotOnePlace(f"text that is not XML ({error})") from error
    spans = []
    for first, last in zip(places[::2], places[1::2], strict=True):
        begin = len(raw[:first].decode("utf-8", "surrogateescape"))
        value = raw[first:last].decode("utf-8", "surrogateescape")
        spans.append((begin + len(value) - len(value.lstrip()), begin + len(value.rstrip())))
    return spans


def _no_doctype(*_: object) -> None:
    raise NotOnePlace("a document type, which version-bump does not read")


def _tables(text: str) -> Iterator[tuple[list[str], int, int]]:
    heads = list(_TABLE.finditer(text))
    yield [], 0, heads[0].start() if heads else len(text)
    for head, following in zip_longest(heads, heads[1:]):
        if head[1] == "[":
            names = [name.strip().strip("\"'") for name in head[2].split(".")]
            yield names, head.end(), following.start() if following else len(text)


def _group(match: re.Match[str]) -> Span:
    return match.span("a") if match["a"] is not None else match.span("b")


def only(places: Sequence[int], nothing: str) -> int:
    """The only position. NotOnePlace otherwise, with the text `nothing` when there is none."""
    if len(places) != 1:
        raise NotOnePlace(nothing if not places else f"{len(places)} values of that name")
    return places[0]


def _single(spans: Sequence[Span], nothing: str) -> Span:
    if len(spans) != 1:
        raise NotOnePlace(nothing if not spans else f"{len(spans)} matching places")
    return spans[0]
