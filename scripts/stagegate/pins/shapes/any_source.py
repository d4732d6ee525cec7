"""One Argo CD source, wherever it stands: every shape looks at it for its own fields."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins.place import PinPlace, Reading, items_at
from stagegate.pins.shapes import (
    application_source,
    git_source,
    inline_values,
    kustomize,
    multiple_sources,
    native_oci,
)
from stagegate.yaml_edit import Path

SHAPES = (
    application_source.places,
    native_oci.places,
    git_source.places,
    inline_values.places,
    kustomize.places_in_source,
    multiple_sources.places,
)


def places(root: Node, document: int, spec: Path, reading: Reading) -> Iterator[PinPlace]:
    """All places in the source or sources of the Application spec at `spec`."""
    bases: list[Path] = [(*spec, "sources", index) for index in range(len(items_at(root, *spec, "sources")))]
    if not bases and yaml_edit.resolve(root, (*spec, "source")):
        bases.append((*spec, "source"))
    for base in bases:
        for shape in SHAPES:
            yield from shape(root, document, base, reading)
