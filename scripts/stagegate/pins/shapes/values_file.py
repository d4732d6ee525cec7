"""A Helm values file: image tags, and in the values of an app of apps whole sources with their revision."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins.place import PinPlace, Shape, ShapeContext, scalar_at, text_at
from stagegate.pins.shapes import image_fields, sources
from stagegate.yaml_nodes import MappingNode, Node

NAME = "values-file"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Image fields of a document that is no Kubernetes object: the settings say that these values are ours."""
    if not isinstance(root, MappingNode) or (text_at(root, "apiVersion") and text_at(root, "kind")):
        return
    for field in image_fields.fields(root, reading.settings, ours=True, aliases=reading.aliases):
        if scalar := scalar_at(root, *field.path):
            yield image_fields.place(reading, document, scalar, field, NAME)
    for path, mapping in image_fields.mappings(root):
        keys = {str(key.value) for key, _ in mapping.value}
        if {"repoURL", "targetRevision"} <= keys:
            yield from sources.in_source(root, document, path, reading)


SHAPE = Shape(
    name=NAME,
    title="Helm values file",
    about=(
        "Image tags as `repository` with `tag`, `image: repository:tag`, or the value `chart.image-tag-value`; "
        "below the name or alias of our chart where the values are of an umbrella chart. In the values of an app "
        "of apps also entries with `repoURL`, `chart` and `targetRevision`."
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
