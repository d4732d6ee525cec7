"""A mark with its place in Git, and the facts that decisions about marks need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from stagegate.evidence.records import Record
from stagegate.model import Actor, Mark

MarkPlace = Literal["hold", "ban", "override"]


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A mark on its ref; `mark` None: it does not count, and `trouble` says why. `oid` is the ref's commit."""

    ref: str
    oid: str
    place: MarkPlace
    app: str
    environment: str = ""
    version: str = ""
    mark: Mark | None = None
    trouble: str = ""
    author: Actor | None = None


class MarkFacts(Protocol):
    """What is known of an app: its marks, and the records by which an override is used up."""

    @property
    def app(self) -> str: ...
    @property
    def marks(self) -> tuple[Placed, ...]: ...
    @property
    def records(self) -> Mapping[str, tuple[Record, ...]]: ...
