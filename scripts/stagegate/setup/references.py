"""Finds every reference to a chart, an image or a Git folder in a repository, with its version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.setup.documents import Document

# Files that Argo CD Image Updater writes beside the manifests.
_OVERRIDES = re.compile(r"\.argocd-source(?:-(?P<application>.+))?\.yaml")
_DEEPEST = 40  # levels of a values file


class NamedReference(msgspec.Struct, frozen=True, kw_only=True):
    """A chart, an image or a Git folder that a document names.

    `name` is without `oci://` and tag, `version` as written. `by` is the kind of document: `Application`,
    `ApplicationSet`, `Kustomization`, `Chart` (an umbrella), `values`, or the kind of a Kubernetes object.
    `application` is the name of the Application, `path` the folder of a Git source, `instead_of` the name that a
    kustomization replaces by this one.
    """

    kind: Literal["chart", "image", "git"]
    name: str
    version: str
    file: str
    by: str
    application: str = ""
    namespace: str = ""
    path: str = ""
    instead_of: str = ""


def of(document: Document) -> Iterator[NamedReference]:
    """Every reference of one document."""
    if document.is_argocd and document.kind == "Application":
        yield from _application(document, document.content, "Application")
    elif document.is_argocd and document.kind == "ApplicationSet":
        template = mapping(mapping(document.content.get("spec")).get("template"))
        yield from _application(document, template, "ApplicationSet")
    elif document.is_argocd:
        return
    elif document.is_kustomization:
        yield from _kustomization(document)
    elif overridden := _OVERRIDES.fullmatch(PurePosixPath(document.file).name):
        for written in items(mapping(document.content.get("kustomize")).get("images")):
            repository, tag = image(str(written).rpartition("=")[2])
            reference = _reference(document, "image", repository, tag, "overrides")
            yield msgspec.structs.replace(reference, application=overridden["application"] or "")
    elif PurePosixPath(document.file).name == "Chart.yaml":
        for item in items(document.content.get("dependencies")):
            where = str(mapping(item).get("repository") or "")
            if where and not where.startswith("file://"):
                name = f"{bare(where)}/{mapping(item).get('name')}"
                yield _reference(document, "chart", name, mapping(item).get("version"), "Chart")
    else:
        by = document.kind or "values"
        yield from _images(document, document.content, by)
        if not document.kind:
            yield from _entries(document)


def bare(address: str) -> str:
    """An address without scheme and without trailing slash."""
    return address.partition("://")[2].strip("/") if "://" in address else address.strip("/")


def image(reference: str) -> tuple[str, str]:
    """Repository and tag of an image reference: `ghcr.io/acme/shop:1.2.3@sha256:...` has the tag `1.2.3`."""
    plain = reference.partition("@")[0]
    head, colon, tag = plain.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (plain, "")


def _application(document: Document, application: Mapping[str, Any], by: str) -> Iterator[NamedReference]:
    name = str(mapping(application.get("metadata")).get("name") or "")
    spec = mapping(application.get("spec"))
    space = str(mapping(spec.get("destination")).get("namespace") or "")
    for source in sources.of(application):
        references: list[NamedReference] = []
        if source.kind in ("registry", "repository"):
            chart = f"{bare(source.address)}/{source.chart}".rstrip("/")
            references.append(_reference(document, "chart", chart, source.revision, by))
        elif source.kind == "git":
            references.append(
                _reference(document, "git", source.address, source.revision, by, path=source.path.strip("/"))
            )
        helm = source.options("helm")
        references += _images(document, mapping(helm.get("valuesObject")), by)
        references += _images(document, _loaded(helm.get("values")), by)
        for written in items(source.options("kustomize").get("images")):
            repository, tag = image(str(written).rpartition("=")[2])
            references.append(_reference(document, "image", repository, tag, by))
        yield from (
            msgspec.structs.replace(reference, application=name, namespace=space) for reference in references
        )


def _kustomization(document: Document) -> Iterator[NamedReference]:
    for item in items(document.content.get("images")):
        entry = mapping(item)
        name = str(entry.get("newName") or entry.get("name") or "")
        if name:
            reference = _reference(document, "image", name, entry.get("newTag"), "Kustomization")
            renamed = str(entry.get("name") or "") if entry.get("newName") else ""
            yield msgspec.structs.replace(reference, instead_of=renamed if renamed != name else "")
    for item in items(document.content.get("helmCharts")):
        chart = mapping(item)
        name = f"{bare(str(chart.get('repo') or ''))}/{chart.get('name')}"
        yield _reference(document, "chart", name, chart.get("version"), "Kustomization")


def _entries(document: Document) -> Iterator[NamedReference]:
    """References in the values of an app of apps: entries with `repoURL`, `chart` and `targetRevision`."""
    for name, entry in _mappings(document.content):
        if {"repoURL", "targetRevision", "chart"} <= entry.keys():
            chart = f"{bare(str(entry['repoURL']))}/{entry['chart']}"
            reference = _reference(document, "chart", chart, entry["targetRevision"], "values")
            yield msgspec.structs.replace(reference, application=name)


def _images(document: Document, content: Mapping[str, Any], by: str) -> Iterator[NamedReference]:
    registry = str(mapping(content.get("global")).get("imageRegistry") or "")
    for _, entry in _mappings(content):
        image_text = entry.get("image")
        if isinstance(image_text, str) and image_text and "{{" not in image_text:
            repository, tag = image(image_text)
            yield _reference(document, "image", repository, tag or entry.get("tag"), by)
        plain = entry.get("repository")
        if isinstance(plain, str) and plain and "://" not in plain and "{{" not in plain:
            host = str(entry.get("registry") or registry)
            name = f"{host}/{plain}" if host and not plain.startswith(f"{host}/") else plain
            yield _reference(document, "image", name, entry.get("tag", entry.get("imageTag")), by)


def _mappings(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping inside a value, with its key."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        yield name, value
        for key, child in value.items():
            yield from _mappings(child, str(key), depth + 1)
    elif isinstance(value, list):
        for child in value:
            yield from _mappings(child, name, depth + 1)


def _loaded(text: object) -> Mapping[str, Any]:
    if not isinstance(text, str):
        return {}
    try:
        return mapping(yaml_1_1.load_last(text))
    except (yaml.YAMLError, ValueError):
        return {}


def _reference(
    document: Document,
    kind: Literal["chart", "image", "git"],
    name: str,
    version: object,
    by: str,
    *,
    path: str = "",
) -> NamedReference:
    return NamedReference(
        kind=kind,
        name=name,
        version="" if version is None else str(version),
        file=document.file,
        by=by,
        path=path,
    )
