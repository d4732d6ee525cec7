"""Finds the position of a version in a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]

from stagegate.patterns import pattern
from stagegate.release.version_formats import NotOnePlace, Span, only

_SPACE = pattern(r"[ \t\r\n]*")


def in_json(text: str, path: Sequence[str | int]) -> Span:
    """The position of the characters inside the quotes of the string at a path. NotOnePlace without such a string.

    json's C decoder skips the other members, which is fast.
    """
    skip = json.JSONDecoder().raw_decode
    try:
        at = _space(text, 1 if text.startswith("\ufeff") else 0)
        for step in path:
            if text[at] == "{":
                at = _member(text, at, str(step), skip)
            elif text[at] == "[":
                at = _item(text, at, int(step), skip)
            else:
                raise NotOnePlace("a value that is neither an object nor a list on the path")
        if text[at] != '"':
            raise NotOnePlace("a value that is not a string")
        _, end = scanstring(text, at + 1)
    except (ValueError, IndexError) as error:
        raise NotOnePlace(f"text that is not JSON ({error})") from error
    return at + 1, end - 1


def _member(text: str, at: int, key: str, skip: object) -> int:
    places = []
    at = _space(text, at + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1)
        at = _space(text, _space(text, at) + 1)
        if name == key:
            places.append(at)
        at = _space(text, skip(text, at)[1])  # type: ignore[operator]
        at = _space(text, at + 1) if text[at] == "," else at
    return only(places, f"no value at {key}")


def _item(text: str, at: int, index: int, skip: object) -> int:
    at = _space(text, at + 1)
    for _ in range(index):
        at = _space(text, _space(text, skip(text, at)[1]) + 1)  # type: ignore[operator]
    return at


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
