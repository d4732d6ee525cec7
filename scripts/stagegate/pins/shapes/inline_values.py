"""Image tags in an Application's inline `helm.values` text or `helm.valuesObject`."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.fields import doubled, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

NAME = "inline-values"


def places(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """Image fields in the inline values of the source at `base`."""
    settings = reading.settings
    url, chart, path = (text_at(root, *base, key) for key in ("repoURL", "chart", "path"))
    ours = ownership.is_our_source(url, chart, path, settings)
    text = yaml_edit.find(root, (*base, "helm", "values"))
    inner = yaml_edit.inside(text, reading.file) if text else None
    for field in (
        image_fields.fields(inner, settings, ours=ours, aliases=reading.aliases) if inner is not None else ()
    ):
        if inner is None:
            continue
        scalar = yaml_edit.find(inner, field.path)
        if scalar is None and text and (stop := doubled(inner, reading.file)):
            stop.line = text.line + (stop.line or 0)
            raise stop
        if scalar:
            yield reading.place(
                document,
                scalar,
                field.role,
                NAME,
                template=field.template,
                subject=field.subject,
                block=text,
            )
    whole = yaml_edit.resolve(root, (*base, "helm", "valuesObject"))
    if whole:
        fields = image_fields.fields(whole[1], settings, ours=ours, aliases=reading.aliases)
        yield from image_fields.placed(root, whole[0], fields, document, reading, NAME)


SHAPE = Shape(
    name=NAME,
    title="Inline Helm values",
    about="Image tags in `helm.valuesObject`, or in the block text of `helm.values`.",
    file="deploy/prod.yaml",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-prod
spec:
  source:
    repoURL: ghcr.io/acme/charts
    chart: shop
    targetRevision: 1.2.3
    helm:
      values: |
        replicas: 3
        global:
          imageTag: v1.2.3 # the release
""",
    source_places=places,
)
