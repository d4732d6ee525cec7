"""Reads YAML or JSON inside a text of a manifest, event by event, in time linear in its length.

Scalars of YAML stay text, so a tag, a date or a number with many digits costs nothing and means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

DEEPEST = 60  # levels of one text; what people write stays below 20
_DIRECTIVES = 20
Structure = Mapping[Any, Any] | list[Any]
_LINES: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class TooMuchError(ValueError):
    """A text that is nested too deep, or whose aliases stand for more values than the text has characters."""


class _Open:
    """A mapping or list that is not closed yet, with the number of values in it."""

    def __init__(self, anchor: str | None, *, is_mapping: bool) -> None:
        self.anchor = anchor
        self.value: dict[str, Any] | list[Any] = {} if is_mapping else []
        self.size = 1
        self.key: str | None = None

    def add(self, value: object, size: int) -> None:
        """Take in the next key, value or element. YAMLError for a key that is no text."""
        self.size += size
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not None:
            self.value[self.key] = value
            self.key = None
        elif isinstance(value, str):
            self.key = value
        else:
            raise yaml.YAMLError("a key is a mapping or a list")


def read(text: str) -> Structure | None:
    """The mapping or list of a text (several documents as a list); None for any other text. TooMuchError."""
    documents = _json(text) or _yaml(text)
    if not documents or not all(isinstance(one, dict | list) and one for one in documents):
        return None
    return documents[0] if len(documents) == 1 else documents


def _json(text: str) -> list[Any]:
    """The one document of JSON, or the documents of JSON lines; nothing where it is no JSON."""
    if text.lstrip()[:1] not in ("{", "["):
        return []
    try:
        return [msgspec.json.decode(text)]
    except RecursionError as error:
        raise TooMuchError from error
    except (msgspec.DecodeError, UnicodeError):
        pass
    try:
        return list(_LINES.decode_lines(text))
    except RecursionError as error:
        raise TooMuchError from error
    except (msgspec.DecodeError, UnicodeError):
        return []


def _yaml(text: str) -> list[Any]:
    """Every document with something in it; nothing where the text is no YAML."""
    if text.count("%TAG") > _DIRECTIVES:  # libyaml compares each with all others
        raise TooMuchError
    most = max(len(text), 1000)
    documents: list[Any] = []
    open_: list[_Open] = []
    anchors: dict[str, tuple[object, int]] = {}
    value: object
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader):
            if isinstance(event, yaml.ScalarEvent):
                value, size, anchor = event.value, 1, event.anchor
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(open_) >= DEEPEST:
                    raise TooMuchError
                open_.append(_Open(event.anchor, is_mapping=isinstance(event, yaml.MappingStartEvent)))
                continue
            elif isinstance(event, yaml.CollectionEndEvent):
                closed = open_.pop()
                value, size, anchor = closed.value, closed.size, closed.anchor
            elif isinstance(event, yaml.AliasEvent):
                (value, size), anchor = anchors[event.anchor or ""], None
            else:
                continue
            if anchor:
                anchors[anchor] = (value, size)
            if not open_:
                documents += [value] if value != "" else []
                continue
            open_[-1].add(value, size)
            if open_[-1].size > most:
                raise TooMuchError
    except (yaml.YAMLError, UnicodeError, KeyError):  # KeyError: an alias without its anchor, or inside it
        return []
    return documents
