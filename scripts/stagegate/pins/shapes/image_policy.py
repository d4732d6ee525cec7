"""Markers of Flux in comments: `# {"$imagepolicy": "namespace:name:tag"}` behind a value, in YAML of any kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.pins import templates
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields
from stagegate.settings import Settings
from stagegate.yaml_edit import Scalar
from stagegate.yaml_nodes import Node

NAME = "image-policy"
_MARKER = re.compile(
    r"#\s*\{\s*\"\$imagepolicy\"\s*:\s*\"[^:\"]+:(?P<policy>[^:\"]+)(?::(?P<part>tag|name|digest))?\"\s*\}"
)


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The marked values whose policy has the name of the app or of one of its images."""
    if b"$imagepolicy" not in reading.content:
        return
    markers = {
        number: match
        for number, line in enumerate(reading.content.decode().removeprefix("\ufeff").splitlines(), 1)
        if (match := _MARKER.search(line))
    }
    for path, _ in yaml_edit.leaves(root):
        scalar = yaml_edit.find(root, path)
        match = markers.get(scalar.line) if scalar else None
        if scalar is None or match is None or match["part"] == "name":
            continue
        if image := _image(match["policy"], reading.settings):
            yield from _place(scalar, match["part"], image, document, reading)


def _place(
    scalar: Scalar, part: str | None, image: str, document: int, reading: ShapeContext
) -> Iterator[PinPlace]:
    if part == "digest":
        yield reading.place(document, scalar, "image-digest", NAME, subject=image)
    elif part == "tag":
        yield reading.place(document, scalar, "image-tag", NAME, subject=image)
    else:
        subject, template = image_fields.written(scalar.value, reading.settings)
        if subject and templates.match(template, scalar.value):
            yield reading.place(document, scalar, "image-tag", NAME, template=template, subject=subject)


def _image(policy: str, settings: Settings) -> str:
    """The image that a policy is about, by its name; the app's own policy is about its first image."""
    for image in settings.images:
        if image.rpartition("/")[2] == policy:
            return image
    return settings.images[0] if policy == settings.app and settings.images else ""


SHAPE = Shape(
    name=NAME,
    title="Image policy markers of Flux",
    about="Values whose comment names the image policy (Flux) of the app or of one of its images.",
    file="clusters/prod/settings.yaml",
    example="""\
web:
  release: v1.2.3 # {"$imagepolicy": "flux-system:shop:tag"}
""",
    order=95,
    places=places,
)
