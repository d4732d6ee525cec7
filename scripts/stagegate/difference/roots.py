"""What the pins of an environment deploy: the documents in their files, before anything is expanded or rendered."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Literal

import msgspec
import yaml

from stagegate import yaml_1_1, yaml_edit
from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.sets import expand
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.pins.place import ShapeContext
from stagegate.pins.shapes import application_set
from stagegate.settings import Environment, Settings


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """One document or folder. `own`: the release of the environment is pinned in it."""

    kind: Literal["application", "set", "object", "folder"]
    file: str
    own: bool
    document: Mapping[str, Any] = {}


def of(
    settings: Settings, environment: Environment, contents: Mapping[str, bytes | None], *, strict: bool
) -> tuple[Root, ...]:
    """Everything that an environment's pins deploy. With `strict` Stop for pins that cannot be read."""
    found: dict[tuple[str, int], Root] = {}
    others = _others(settings, environment, contents)
    for pin in environment.pins:
        file = pin_files.file_of(pin)
        own: dict[int, Mapping[str, Any] | None] = {}
        try:
            read = pinned_version.read(pin, contents, settings, environment)
            own = dict.fromkeys(place.document for place in read.places)
        except Stop:
            if strict:
                raise
        for number, document in enumerate(_documents(contents.get(file))):
            key = (file, number)
            if (key in found and found[key].own) or (number not in own and key in others):
                continue
            kind = _kind(document)
            if kind is None:
                continue
            if kind == "set" and number in own:
                document = _narrowed(document, number, file, contents, settings, environment)
            found[key] = Root(kind=kind, file=file, own=number in own, document=document)
    return (*found.values(), *_folders(environment))


def _kind(document: object) -> Literal["application", "set", "object"] | None:
    if render_inputs.is_application(document):
        return "application"
    if expand.is_set(document):
        return "set"
    if not isinstance(document, Mapping) or not isinstance(document.get("metadata"), Mapping):
        return None
    plain = all(isinstance(document.get(key), str) for key in ("apiVersion", "kind"))
    return "object" if plain and document["metadata"].get("name") and not _is_kustomize(document) else None


def _is_kustomize(document: Mapping[str, Any]) -> bool:
    return str(document.get("apiVersion")).startswith("kustomize.config.k8s.io/")


def _folders(environment: Environment) -> Iterator[Root]:
    """Charts and kustomizations that are pins themselves."""
    for file in pinned_version.files_of(environment):
        if pin_files.folder(file) is not None:
            yield Root(kind="folder", file=file, own=True)


def _others(
    settings: Settings, environment: Environment, contents: Mapping[str, bytes | None]
) -> set[tuple[str, int]]:
    """Documents of these files that belong to other environments."""
    own = set(map(pin_files.file_of, environment.pins))
    found = set()
    for other in settings.environments:
        for pin in other.pins if other.name != environment.name else ():
            file = pin_files.file_of(pin)
            if file not in own:
                continue
            try:
                places = pinned_version.read(pin, contents, settings, other).places
            except Stop:
                continue
            found |= {(file, place.document) for place in places}
    return found


def _documents(content: bytes | None) -> list[Any]:
    try:
        return yaml_1_1.load_all(content) if content else []
    except (yaml.YAMLError, ValueError):
        return []  # that the pin cannot be read is said where it is read


def _narrowed(
    document: Mapping[str, Any],
    number: int,
    file: str,
    contents: Mapping[str, bytes | None],
    settings: Settings,
    environment: Environment,
) -> Mapping[str, Any]:
    """A set with only those list elements that are this environment's, where it has some."""
    nodes = yaml_edit.documents(contents[file] or b"", file)
    reading = ShapeContext(file=file, settings=settings, environment=environment)
    try:
        chosen = application_set.elements(nodes[number], reading)
    except Stop:
        return document  # the release stands in the template: every element runs it
    copied = copy.deepcopy(dict(document))
    kept: dict[tuple[Any, ...], list[int]] = {}
    for one in chosen:
        kept.setdefault(one.path[:-1], []).append(int(one.path[-1]))
    for path, indexes in kept.items():
        elements: Any = copied
        for step in path:
            elements = elements[step]
        elements[:] = [elements[index] for index in indexes]
    return copied


def is_kustomization(root: Root) -> bool:
    """Whether a folder is built by kustomize."""
    return root.kind == "folder" and PurePosixPath(root.file).name in pin_files.KUSTOMIZATIONS
