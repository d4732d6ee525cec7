"""Kustomize: images, charts and remote bases of a kustomization, and `kustomize.images` of an Application."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.pins import files, ownership, templates
from stagegate.pins.fields import items_at, scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

NAME = "kustomize"
_REF = re.compile(
    r"(?P<url>(?:git::)?(?:[a-z][a-z+.-]*://)?[^?\s]+?)(?://(?P<path>[^?\s]*))?\?(?:.*&)?(?:ref|version)=(?P<ref>[^&\s]+)"
)


def is_kustomization(root: Node, file: str) -> bool:
    """Whether a document is a kustomization or component, by its kind or the file's name."""
    kind = text_at(root, "kind")
    if kind in ("Kustomization", "Component"):
        return "kustomize.toolkit.fluxcd.io" not in text_at(root, "apiVersion")
    return not kind and files.is_kustomization(file)


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Images, charts and remote bases of ours in a kustomization."""
    if not is_kustomization(root, reading.file):
        return
    settings = reading.settings
    yield from in_images(root, document, ("images",), reading, NAME)
    for index, item in enumerate(items_at(root, "helmCharts")):
        if not ownership.is_our_chart(text_at(item, "repo"), text_at(item, "name"), settings):
            continue
        version = scalar_at(root, "helmCharts", index, "version")
        if version and settings.moves_chart:
            yield reading.place(document, version, "chart-version", NAME)
        values = yaml_edit.resolve(item, ("valuesInline",))
        if values:
            fields = image_fields.fields(values[1], settings, ours=True)
            base: Path = ("helmCharts", index, "valuesInline")
            yield from image_fields.placed(root, base, fields, document, reading, NAME)
    for key in ("resources", "bases", "components"):
        for index, _ in enumerate(items_at(root, key)):
            yield from _remote(root, document, (key, index), reading)


def in_images(root: Node, document: int, path: Path, reading: ShapeContext, shape: str) -> Iterator[PinPlace]:
    """Tags and digests of images of ours in a list of `{name, newName, newTag, digest}` at a path."""
    for index, item in enumerate(items_at(root, *path)):
        image = ownership.our_image(text_at(item, "newName") or text_at(item, "name"), reading.settings)
        if not image:
            continue
        if tag := scalar_at(root, *path, index, "newTag"):
            yield reading.place(document, tag, "image-tag", shape, subject=image)
        if digest := scalar_at(root, *path, index, "digest"):
            yield reading.place(document, digest, "image-digest", shape, subject=image)


def _remote(root: Node, document: int, path: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """The revision of a remote base of our repository, `https://host/owner/name//path?ref=v1.2.3`."""
    scalar = scalar_at(root, *path)
    match = _REF.match(scalar.value) if scalar else None
    if (
        scalar is None
        or match is None
        or not ownership.is_our_repository(_host_first(match["url"]), reading.settings)
    ):
        return
    template = templates.guess(match["ref"], "git-revision", reading.settings)
    if template:
        whole = scalar.value[: match.start("ref")] + template + scalar.value[match.end("ref") :]
        yield reading.place(document, scalar, "git-revision", NAME, template=whole)


def _host_first(url: str) -> str:
    return url.removeprefix("git::")


def in_source(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """Images of ours that an Application's source overrides, written `[name=]repository:tag` or `@digest`."""
    for index in range(len(items_at(root, *base, "kustomize", "images"))):
        scalar = scalar_at(root, *base, "kustomize", "images", index)
        image, template = image_fields.written(scalar.value, reading.settings) if scalar else ("", "")
        if scalar and image:
            yield reading.place(document, scalar, "image-tag", NAME, template=template, subject=image)


SHAPE = Shape(
    name=NAME,
    title="Kustomize",
    about=(
        "`images` (`newTag`, `digest`) and `helmCharts` (with `valuesInline`) of a kustomization or component, "
        "remote bases of the app's repository with `?ref=`, and `kustomize.images` of an Application."
    ),
    file="deploy/prod/kustomization.yaml",
    example="""\
resources: [../base]
images:
  - name: ghcr.io/acme/shop
    newTag: v1.2.3
""",
    order=30,
    places=places,
    source_places=in_source,
)
