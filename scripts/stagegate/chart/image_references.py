"""Finds image references in rendered objects, without a registry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import Objects
from stagegate.chart.walk import at, is_custom, is_definition, mapping, pod_template

MOVING = frozenset(
    ("main", "master", "develop", "dev", "edge", "nightly", "stable", "canary", "testing", "head", "trunk")
)
_PARTS = ("registry", "repository", "tag", "imageTag", "version", "digest", "sha")
_INJECTED = ("inject.istio.io/templates", "sidecar.istio.io/inject")


class UsedImage(NamedTuple):
    """One `image:` field: its object and path, and the parts of the reference (empty if absent)."""

    object: RenderedObject
    path: str
    text: str
    repository: str
    tag: str
    digest: str


def used(objects: Objects) -> Iterator[UsedImage]:
    """Every text under a key `image`, in pods and in custom resources.

    `image: auto` does not count where Istio replaces it at injection.
    """
    for resource in objects:
        if is_definition(resource) or resource.kind in (
            "ConfigMap",
            "Secret",
        ):  # `image` may be a picture there
            continue
        for path, text in resource.texts:
            holder, _, last = path.rpartition(".")
            is_image = last == "image" and text and not any(c.isspace() or c in "{}$*" for c in text)
            is_reference = not is_custom(resource) or not _in_parts(resource, holder, text)
            if is_image and is_reference and (text != "auto" or not _injected(resource)):
                yield UsedImage(resource, path, text, *parts(text))


def parts(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest of a reference; a colon before the last slash begins a port."""
    name, _, digest = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{folder}{slash}{last}", tag, digest


def allowed(repository: str, patterns: tuple[str, ...]) -> bool:
    """Whether `allow-images` accepts this repository with any tag; `*` matches any text."""
    return any(fnmatchcase(repository, pattern) for pattern in patterns)


def _in_parts(resource: RenderedObject, holder: str, image: str) -> bool:
    """Whether a custom resource has registry or tag in separate fields beside `image`."""
    beside = _beside(resource.body, holder)
    return ":" not in image and any(isinstance(beside.get(key), (str, int, float)) for key in _PARTS)


def _beside(body: object, path: str) -> Mapping[str, Any]:
    for key, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        inside = body[int(number)] if number and isinstance(body, list) else None
        body = inside if number else at(body, key)
    return mapping(body)


def _injected(resource: RenderedObject) -> bool:
    metadata = mapping(pod_template(resource).get("metadata"))
    marks = {**mapping(metadata.get("annotations")), **mapping(metadata.get("labels"))}
    marks |= mapping(at(resource.body, "metadata", "annotations"))
    return any(str(marks.get(key, "false")).lower() != "false" for key in _INJECTED)
