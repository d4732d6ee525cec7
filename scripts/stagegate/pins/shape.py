"""What a shape is: one form in which people pin a release, and how its places are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

Places = Callable[[Node, int, ShapeContext], Iterator[PinPlace]]
SourcePlaces = Callable[[Node, int, Path, ShapeContext], Iterator[PinPlace]]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One form in which people pin a release: everything about it.

    `places` finds it in a document (a node, the document's number), `source_places` in the Argo CD source at a
    path. Of several shapes that could read a document, the one with the lowest `order` does. `example` is a file
    that pins 1.2.3 of the app in docs/pins.md, `file` its name, `about` what people use it for.
    """

    name: str
    title: str
    about: str
    file: str
    example: str
    order: int = 50
    places: Places | None = None
    source_places: SourcePlaces | None = None
