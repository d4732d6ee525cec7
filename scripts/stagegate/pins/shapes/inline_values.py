"""Shape (b): image tags in an Application's inline `helm.values` text or `helm.valuesObject`."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, text_at
from stagegate.pins.shapes import image_fields
from stagegate.yaml_edit import Path

SHAPE = "inline-values"


def places(root: Node, document: int, base: Path, reading: Reading) -> Iterator[PinPlace]:
    """Image fields in the inline values of the source at `base`."""
    settings = reading.settings
    url, chart, path = (text_at(root, *base, key) for key in ("repoURL", "chart", "path"))
    ours = ownership.is_our_source(url, chart, path, settings)
    text = yaml_edit.find(root, (*base, "helm", "values"))
    inner = yaml_edit.inside(text, reading.file) if text else None
    for field in image_fields.fields(inner, settings, ours=ours) if inner is not None else ():
        if inner is not None and (scalar := yaml_edit.find(inner, field.path)):
            yield reading.place(
                document,
                scalar,
                field.role,
                SHAPE,
                template=field.template,
                subject=field.subject,
                block=text,
            )
    whole = yaml_edit.resolve(root, (*base, "helm", "valuesObject"))
    for field in image_fields.fields(whole[1], settings, ours=ours) if whole else ():
        if whole and (scalar := yaml_edit.find(root, (*whole[0], *field.path))):
            yield reading.place(
                document, scalar, field.role, SHAPE, template=field.template, subject=field.subject
            )
