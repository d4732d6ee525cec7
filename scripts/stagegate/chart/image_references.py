"""Image references in rendered objects. Pure text, no registry."""

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
    """One `image:` field: where it is, and the reference in its parts (empty where it has none)."""

    object: RenderedObject
    path: str
    text: str
    repository: str
    tag: str
    digest: str


def used(objects: Objects) -> Iterator[UsedImage]:
    """Every text under a key `image`, in pods and in what operators make pods of.

    `image: auto` is no reference where Istio replaces it at injection.
    """
    for one in objects:
        if is_definition(one) or one.kind in ("ConfigMap", "Secret"):  # there it may be a picture
            continue
        for path, text in one.texts:
            holder, _, last = path.rpartition(".")
            is_image = last == "image" and text and not any(c.isspace() or c in "{}$*" for c in text)
            whole = not is_custom(one) or not _in_parts(one, holder, text)
            if is_image and whole and (text != "auto" or not _injected(one)):
                yield UsedImage(one, path, text, *parts(text))


def parts(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest; a colon before the last slash is a port."""
    name, _, digest = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{folder}{slash}{last}", tag, digest


def allowed(repository: str, patterns: tuple[str, ...]) -> bool:
    """Whether `allow-images` accepts this repository with any tag; `*` stands for any text."""
    return any(fnmatchcase(repository, pattern) for pattern in patterns)


def _in_parts(one: RenderedObject, holder: str, image: str) -> bool:
    """Whether a custom resource has registry or tag in fields of their own, beside the field `image`."""
    beside = _beside(one.body, holder)
    return ":" not in image and any(isinstance(beside.get(key), (str, int, float)) for key in _PARTS)


def _beside(body: object, path: str) -> Mapping[str, Any]:
    for key, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        inside = body[int(number)] if number and isinstance(body, list) else None
        body = inside if number else at(body, key)
    return mapping(body)


def _injected(one: RenderedObject) -> bool:
    metadata = mapping(pod_template(one).get("metadata"))
    marks = {**mapping(metadata.get("annotations")), **mapping(metadata.get("labels"))}
    marks |= mapping(at(one.body, "metadata", "annotations"))
    return any(str(marks.get(key, "false")).lower() != "false" for key in _INJECTED)
