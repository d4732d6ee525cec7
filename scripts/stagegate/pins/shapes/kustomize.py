"""Shape (e): `images` and `helmCharts` of a kustomization, and `kustomize.images` of an Application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, items_at, text_at
from stagegate.pins.shapes import image_fields
from stagegate.yaml_edit import Path

SHAPE = "kustomize"
_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def places(root: Node, document: int, reading: Reading) -> Iterator[PinPlace]:
    """Images and charts of ours in a kustomization."""
    kind = text_at(root, "kind")
    if kind not in ("Kustomization", "Component") and (
        kind or PurePosixPath(reading.file).name not in _FILES
    ):
        return
    settings = reading.settings
    for index, item in enumerate(items_at(root, "images")):
        image = text_at(item, "newName") or text_at(item, "name")
        if not ownership.is_our_image(image, settings):
            continue
        if tag := yaml_edit.find(root, ("images", index, "newTag")):
            yield reading.place(document, tag, "image-tag", SHAPE, subject=image)
        if digest := yaml_edit.find(root, ("images", index, "digest")):
            yield reading.place(document, digest, "image-digest", SHAPE, subject=image)
    for index, item in enumerate(items_at(root, "helmCharts")):
        if not ownership.is_our_chart(text_at(item, "repo"), text_at(item, "name"), settings):
            continue
        version = yaml_edit.find(root, ("helmCharts", index, "version"))
        if version and settings.moves_chart:
            yield reading.place(document, version, "chart-version", SHAPE)


def places_in_source(root: Node, document: int, base: Path, reading: Reading) -> Iterator[PinPlace]:
    """Images of ours that an Application's source overrides, written `[name=]repository:tag` or `@digest`."""
    for index in range(len(items_at(root, *base, "kustomize", "images"))):
        scalar = yaml_edit.find(root, (*base, "kustomize", "images", index))
        image, template = image_fields.written(scalar.value, reading.settings) if scalar else ("", "")
        if scalar and image:
            yield reading.place(document, scalar, "image-tag", SHAPE, template=template, subject=image)
