"""Shape (d), second half: a Helm values file, with its tag as `v1.2.3`, `1.2.3` or `sha-<40 hex>`."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import MappingNode, Node

from stagegate import yaml_edit
from stagegate.pins.place import PinPlace, Reading, text_at
from stagegate.pins.shapes import image_fields

SHAPE = "values-file"


def places(root: Node, document: int, reading: Reading) -> Iterator[PinPlace]:
    """Image fields of a document that is no Kubernetes object: the settings say that these values are ours."""
    if not isinstance(root, MappingNode) or (text_at(root, "apiVersion") and text_at(root, "kind")):
        return
    for field in image_fields.fields(root, reading.settings, ours=True):
        if scalar := yaml_edit.find(root, field.path):
            yield reading.place(
                document, scalar, field.role, SHAPE, template=field.template, subject=field.subject
            )
