"""A Helm values file: image tags, and in the values of an app of apps whole sources with their revision."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.pins.fields import text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields, sources
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node

NAME = "values-file"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Image fields of a document that is no Kubernetes object: the settings say that these values are ours."""
    if not isinstance(root, MappingNode) or (text_at(root, "apiVersion") and text_at(root, "kind")):
        return
    settings, aliases = reading.settings, reading.aliases
    fields = image_fields.fields(root, settings, ours=True, aliases=aliases, whole=not reading.umbrella)
    yield from image_fields.placed(root, (), fields, document, reading, NAME)
    for path, mapping in image_fields.mappings(root):
        keys = {str(key.value) for key, _ in mapping.value}
        if {"repoURL", "targetRevision"} <= keys:
            seen = tuple(sources.in_source(root, document, path, reading))
            yield from seen
            if seen:
                yield from _beside(root, path, document, reading)


def _beside(root: Node, path: Path, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Image tags in the values beside a source of ours: `values` in it, or beside it where it is a `source`."""
    for base in (path, path[:-1]) if path[-1:] == ("source",) else (path,):
        for key in ("values", "valuesObject"):
            own = yaml_edit.resolve(root, (*base, key))
            if own and isinstance(own[1], MappingNode):
                fields = image_fields.fields(own[1], reading.settings, ours=True)
                yield from image_fields.placed(root, own[0], fields, document, reading, NAME)


SHAPE = Shape(
    name=NAME,
    title="Helm values file",
    about=(
        "Image tags as `repository` with `tag`, `image: repository:tag`, or the value that "
        "`chart.image-tag-value` names. In the values of an umbrella chart, they are below the "
        "name or alias of the app's chart. In the values of an app of apps, entries with "
        "`repoURL`, `chart` and `targetRevision` are pins too."
    ),
    file="deploy/prod-values.yaml",
    example="""\
image:
  repository: ghcr.io/acme/shop
  tag: v1.2.3 # the release
worker:
  image: ghcr.io/acme/shop:v1.2.3
""",
    order=90,
    places=places,
)
