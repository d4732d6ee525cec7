"""Reads the Helm charts of a repository for adoption. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec

from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.setup import references
from stagegate.setup.documents import Document
from stagegate.setup.references import NamedReference

# Usual values for the tag of every image, the most general first.
_TAG_VALUES = ("global.imageTag", "global.image.tag", "imageTag", "image.tag")
_PROBE = re.compile(r"(?:readiness|liveness|startup)Probe:.{0,400}?\bpath:\s*[\"']?(/[\w./-]*)", re.DOTALL)
_APPLICATION = re.compile(r"^kind:\s*Application(?:Set)?\s*$", re.MULTILINE)
_PREFIXED = re.compile(r"v\{\{-?\s*[^}]*AppVersion|printf\s+\"[^\"]*v%s[^\"]*\"[^}]*AppVersion")
_IMAGE = re.compile(r"^\s*image:\s*[\"']?([\w./-]+(?::[\w.-]+)?)[\"']?\s*$", re.MULTILINE)


class DetectedChart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart of the repository.

    `kind`: `app` (has templates of its own), `umbrella` (only depends on charts of registries), `apps` (an app of
    apps: its templates are Applications), `part` (belongs to another chart of the repository) or `library`.
    `tag_value` is the value that holds the image tag, `default_tag` the form of the tag that it uses by default.
    """

    path: str
    name: str
    version: str
    app_version: str
    kind: Literal["app", "umbrella", "apps", "part", "library"]
    images: tuple[NamedReference, ...] = ()
    tag_value: str = ""
    default_tag: Literal["", "{version}", "v{version}"] = ""
    health: str = ""
    test_images: tuple[str, ...] = ()
    has_replicas: bool = False


def read(tree: Tree, documents: Sequence[Document]) -> tuple[DetectedChart, ...]:
    """Every chart, sorted by path."""
    charts = [d for d in documents if PurePosixPath(d.file).name == "Chart.yaml" and d.content.get("name")]
    subcharts = {
        posixpath.normpath(posixpath.join(posixpath.dirname(d.file), where.removeprefix("file://")))
        for d in charts
        for where in _dependencies(d)
        if where.startswith("file://")
    }
    folders = {posixpath.dirname(d.file) for d in charts}
    # A chart in the `charts` folder of another chart, such as shop/charts/cache, is a part of that chart.
    subcharts |= {
        f
        for f in folders
        if posixpath.basename(posixpath.dirname(f)) == "charts" and f.rpartition("/charts/")[0] in folders
    }
    return tuple(_chart(tree, d, subcharts, documents) for d in sorted(charts, key=lambda d: d.file))


def health_of(documents: Sequence[Document], folder: str) -> str:
    """The path of a probe in the Kubernetes objects of a folder; nothing without one."""
    for document in documents:
        if document.kind and (not folder or document.file.startswith(f"{folder}/")):
            for probe in _probes(document.content):
                return probe
    return ""


def _chart(
    tree: Tree, document: Document, subcharts: set[str], documents: Sequence[Document]
) -> DetectedChart:
    folder = posixpath.dirname(document.file)
    templates = _texts(tree, posixpath.join(folder, "templates"))
    tests = _texts(tree, posixpath.join(folder, "templates", "tests"))
    values_file = posixpath.join(folder, "values.yaml")
    values = next((d for d in documents if d.file == values_file), None)
    text = "\n".join(templates.values())
    images = tuple(references.of(values)) if values else ()
    used = tuple(one for one in images if one.kind == "image")
    content = values.content if values else {}
    return DetectedChart(
        path=folder or ".",
        name=str(document.content["name"]),
        version=str(document.content.get("version") or ""),
        app_version=str(document.content.get("appVersion") or ""),
        kind=_kind(document, folder, text, subcharts),
        images=used,
        tag_value=_tag_value(content, used, text, helped=bool(_dependencies(document))),
        default_tag=_default_tag(text, str(document.content.get("appVersion") or "")),
        health=next(iter(_probes(content)), "") or (probe[1] if (probe := _PROBE.search(text)) else ""),
        test_images=tuple(dict.fromkeys(name for one in tests.values() for name in _IMAGE.findall(one))),
        has_replicas="replicaCount" in content,
    )


def _kind(
    document: Document, folder: str, templates: str, subcharts: set[str]
) -> Literal["app", "umbrella", "apps", "part", "library"]:
    if document.content.get("type") == "library":
        return "library"
    if folder in subcharts:
        return "part"
    if _APPLICATION.search(templates):
        return "apps"
    remote = [where for where in _dependencies(document) if where and not where.startswith("file://")]
    return "umbrella" if remote and "image:" not in templates else "app"


def _dependencies(document: Document) -> list[str]:
    return [
        str(mapping(dependency).get("repository") or "")
        for dependency in items(document.content.get("dependencies"))
    ]


def _tag_value(
    values: Mapping[str, Any], images: Sequence[NamedReference], templates: str, *, helped: bool
) -> str:
    """The value with the tag of all images; nothing where each image has its own.

    `helped`: a chart that it depends on, such as a library of helpers, may read the global values for it.
    """
    for path in _TAG_VALUES:
        keys = path.split(".")
        node: object = values
        for key in keys[:-1]:
            node = mapping(node).get(key)
        has = isinstance(node, Mapping) and keys[-1] in node
        if f".Values.{path}" in templates or (has and helped and keys[0] == "global"):
            if path == "image.tag" and len({reference.name for reference in images}) > 1:
                continue
            return path
    return ""


def _default_tag(templates: str, app_version: str) -> Literal["", "{version}", "v{version}"]:
    if "AppVersion" not in templates:
        return ""
    return "v{version}" if _PREFIXED.search(templates) or app_version.startswith("v") else "{version}"


def _probes(value: object, inside: bool = False) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if inside and key == "path" and isinstance(child, str) and child.startswith("/"):
                yield child
            yield from _probes(child, inside or str(key).endswith("Probe"))
    elif isinstance(value, list):
        for child in value:
            yield from _probes(child, inside)


def _texts(tree: Tree, folder: str) -> dict[str, str]:
    names = [path for path in tree.below(folder) if path.endswith((".yaml", ".yml", ".tpl"))]
    return {path: data.decode("utf-8", "replace") for path, data in tree.read(names).items()}
