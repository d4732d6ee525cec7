"""The sources of an Argo CD Application spec: every source shape looks at each of them for its own fields."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.pins import shapes
from stagegate.pins.fields import items_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node


def is_kind(node: Node, kind: str) -> bool:
    """Whether a document is an Argo CD object of a kind."""
    return text_at(node, "kind") == kind and text_at(node, "apiVersion").startswith("argoproj.io/")


def bases(root: Node, spec: Path) -> list[Path]:
    """Paths of the sources of a spec: `source`, `sources` and the dry source of a hydrator."""
    several: list[Path] = [
        (*spec, "sources", index) for index in range(len(items_at(root, *spec, "sources")))
    ]
    single: list[Path] = [] if several else [(*spec, "source")]
    candidates = [*several, *single, (*spec, "sourceHydrator", "drySource")]
    return [base for base in candidates if yaml_edit.resolve(root, base)]


def in_spec(root: Node, document: int, spec: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """All places in the sources of the Application spec at `spec`."""
    for base in bases(root, spec):
        yield from in_source(root, document, base, reading)


def in_source(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """All places in the source at `base`."""
    for shape in shapes.source_shapes():
        if shape.source_places:
            yield from shape.source_places(root, document, base, reading)
