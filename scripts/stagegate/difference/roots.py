"""What the pins of an environment deploy: the documents in their files, before anything is expanded or rendered."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
import yaml

from stagegate import yaml_1_1, yaml_edit
from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.sets import expand
from stagegate.argocd_app.sources import mapping
from stagegate.errors import Stop
from stagegate.pins import PinFile, pinned_version
from stagegate.pins import files as pin_files
from stagegate.pins.place import ShapeContext
from stagegate.pins.shapes import set_elements
from stagegate.settings import Environment, Settings
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

Place = tuple[str, int, int]  # file, document, and item of a `List`
_WHOLE = -1  # the document itself


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """One document or folder. `own`: the release of the environment is pinned in it.

    `others`: the list elements of a set that are no environment's. `unknown`: a document that is none of the other
    kinds, such as an object without a name.
    """

    kind: Literal["application", "set", "object", "folder", "unknown"]
    file: str
    own: bool
    document: Mapping[str, Any] = {}
    others: tuple[Any, ...] = ()


def of(
    settings: Settings, environment: Environment, contents: Mapping[str, bytes | None], *, strict: bool
) -> tuple[Root, ...]:
    """Everything that an environment's pins deploy. With `strict` Stop for pins that cannot be read."""
    roots: dict[Place, Root] = {}
    others = _others(settings, environment, contents)
    for pin in environment.pins:
        file = pin_files.file_of(pin)
        own: set[Place] = set()
        try:
            own = _places(pinned_version.read(pin, contents, settings, environment))
        except Stop:
            if strict:
                raise
        for key, document in _each(file, contents.get(file)):
            if (key in roots and roots[key].own) or (key not in own and key in others):
                continue
            kind = _kind(document)
            others_: tuple[Any, ...] = ()
            if kind == "set" and key in own:
                node = _node(contents[file] or b"", key)
                others_ = _of_nobody(document, node, file, settings)
                document = _narrowed(
                    document, node, ShapeContext(file=file, settings=settings, environment=environment)
                )
            document = document if isinstance(document, Mapping) else {"": document}
            roots[key] = Root(kind=kind, file=file, own=key in own, document=document, others=others_)
    return (*roots.values(), *_folders(environment))


def _places(read: PinFile) -> set[Place]:
    """The objects that a pin's places stand in."""
    return {
        (read.file, place.document, index)
        for place in read.places
        for index in (_WHOLE, *place.path[1:2])
        if isinstance(index, int) and (index == _WHOLE or place.path[0] == "items")
    }


def _each(file: str, content: bytes | None) -> Iterator[tuple[Place, Any]]:
    """Each document that is not empty; of a List each item, as in Argo CD."""
    for number, document in enumerate(_documents(content)):
        if document is None:
            continue
        items = document.get("items") if isinstance(document, Mapping) else None
        if isinstance(items, list) and str(mapping(document).get("kind") or "").endswith("List"):
            yield from (((file, number, index), item) for index, item in enumerate(items))
        else:
            yield (file, number, _WHOLE), document


def _node(content: bytes, key: Place) -> Node:
    file, number, index = key
    root = yaml_edit.documents(content, file)[number]
    own = yaml_edit.resolve(root, ("items", index)) if index != _WHOLE else None
    return own[1] if own else root


def _kind(document: object) -> Literal["application", "set", "object", "unknown"]:
    if render_inputs.is_application(document):
        return "application"
    if expand.is_set(document):
        return "set"
    if not isinstance(document, Mapping) or not isinstance(document.get("metadata"), Mapping):
        return "unknown"
    metadata = document["metadata"]
    is_named = isinstance(metadata.get("name") or metadata.get("generateName"), str)
    plain = all(isinstance(document.get(key), str) for key in ("apiVersion", "kind"))
    return "object" if plain and is_named and not _is_kustomize(document) else "unknown"


def _is_kustomize(document: Mapping[str, Any]) -> bool:
    return str(document.get("apiVersion")).startswith("kustomize.config.k8s.io/")


def _folders(environment: Environment) -> Iterator[Root]:
    """Charts and kustomizations that are pins themselves."""
    for file in pinned_version.files_of(environment):
        if pin_files.folder(file) is not None:
            yield Root(kind="folder", file=file, own=True)


def _others(settings: Settings, environment: Environment, contents: Mapping[str, bytes | None]) -> set[Place]:
    """Objects of these files that belong to other environments."""
    own = set(map(pin_files.file_of, environment.pins))
    other_places: set[Place] = set()
    for other in settings.environments:
        for pin in other.pins if other.name != environment.name else ():
            file = pin_files.file_of(pin)
            if file not in own:
                continue
            try:
                other_places |= _places(pinned_version.read(pin, contents, settings, other))
            except Stop:
                continue
    return other_places


def _documents(content: bytes | None) -> list[Any]:
    try:
        return yaml_1_1.load_all(content) if content else []
    except (yaml.YAMLError, ValueError):
        return []  # that the pin cannot be read is said where it is read


def _narrowed(document: Mapping[str, Any], node: Node, reading: ShapeContext) -> Mapping[str, Any]:
    """A set with only those list elements that are this environment's, where it has some."""
    try:
        chosen = set_elements.elements(node, reading)
    except Stop:
        return document  # the release stands in the template: every element runs it
    copied = copy.deepcopy(dict(document))
    for elements, indexes in _lists(copied, (path for one in chosen for path in one.paths)):
        elements[:] = [elements[index] for index in indexes]
    return copied


def _of_nobody(document: Mapping[str, Any], node: Node, file: str, settings: Settings) -> tuple[Any, ...]:
    """The elements of a set's lists that no environment of the settings claims."""
    claimed: set[Path] = set()
    for environment in settings.environments:
        try:
            reading = ShapeContext(file=file, settings=settings, environment=environment)
            claimed |= {path for one in set_elements.elements(node, reading) for path in one.paths}
        except Stop:
            continue  # not clear which: then all of them are compared as elements of nobody
    unclaimed = [one.path for one in set_elements.every_element(node) if one.path not in claimed]
    return tuple(elements[index] for elements, indexes in _lists(document, unclaimed) for index in indexes)


def _lists(document: Any, chosen: Iterable[Path]) -> Iterator[tuple[list[Any], list[int]]]:
    """The lists that elements stand in, with the indexes of these elements."""
    kept: dict[Path, list[int]] = {}
    for path in dict.fromkeys(chosen):
        kept.setdefault(path[:-1], []).append(int(path[-1]))
    for path, indexes in kept.items():
        elements = document
        for step in path:
            elements = elements[step]
        yield elements, indexes


def is_kustomization(root: Root) -> bool:
    """Whether a folder is built by kustomize."""
    return root.kind == "folder" and pin_files.is_kustomization(root.file)
