"""Secrets that are known by value: found in any text in one pass, however many there are."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

from stagegate.chart.objects import RenderedObject
from stagegate.difference.values import at

_EQUAL = 4  # characters that a secret must have to be one where it is the whole value
_WITHIN = 10  # the same where it is a part of a text
_COMPARED = 128  # characters of a secret that are looked for in a text
_WORDS = ("true", "false", "null", "none")
_IDENTITY = re.compile(
    r"user(?:name)?|login|host(?:name)?|port|db(?:name)?|database|name|namespace|type", re.IGNORECASE
)


class KnownValues:
    """Values that must not be shown, indexed by their first characters."""

    def __init__(self, values: Iterable[str]) -> None:
        self._equal = frozenset(value for value in values if len(value) >= _EQUAL and value not in _WORDS)
        self._groups: dict[str, list[str]] = {}
        for value in sorted(value[:_COMPARED] for value in self._equal if len(value) >= _WITHIN):
            group = self._groups.setdefault(value[:_WITHIN], [])
            if not group or not value.startswith(group[-1]):
                group.append(value)

    def are_in(self, text: str) -> bool:
        """Whether a text is one of the values, or contains one of the longer ones."""
        return text in self._equal or (bool(self._groups) and self._are_within(text))

    def _are_within(self, text: str) -> bool:
        for start in range(len(text) - _WITHIN + 1):
            group = self._groups.get(text[start : start + _WITHIN])
            if group is None:
                continue
            # No value of a group begins with another one, so only the last that is not greater can be meant.
            piece = text[start : start + _COMPARED]
            place = bisect_right(group, piece) - 1
            if place >= 0 and piece.startswith(group[place]):
                return True
        return False


def secrets_of(objects: Iterable[RenderedObject]) -> frozenset[str]:
    """The values that rendered Secrets hold, plain and encoded: they are secret wherever else they stand."""
    secrets: set[str] = set()
    for one in objects:
        if one.kind != "Secret":
            continue
        for section in ("data", "stringData"):
            values = at(one.body, section)
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if not _IDENTITY.fullmatch(str(name)):
                    secrets.update(_spellings(str(value)))
    return frozenset(secrets)


def _spellings(value: str) -> Iterator[str]:
    """A Secret's value as it stands, decoded, encoded, and without surrounding space."""
    yield value
    yield value.strip()
    yield base64.b64encode(value.encode()).decode()
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return
    yield plain
    yield plain.strip()
