"""Shape (g): an ApplicationSet; the release stands in its template, or in the list element of an environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins.place import PinPlace, Reading, text_at
from stagegate.pins.shapes import any_source
from stagegate.yaml_edit import Path

SHAPE = "application-set"
_PARAMETER = re.compile(r"\{\{-?\s*\.?([\w-]+)\s*-?\}\}")


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One element of a list generator: where it is, and its scalars."""

    path: Path
    line: int
    values: dict[str, str]


def is_set(root: Node) -> bool:
    """Whether a document is an ApplicationSet."""
    return text_at(root, "kind") == "ApplicationSet" and text_at(root, "apiVersion").startswith(
        "argoproj.io/"
    )


def places(root: Node, document: int, reading: Reading) -> Iterator[PinPlace]:
    """Literal places of the template, and the element's scalar where the template names a parameter."""
    if not is_set(root):
        return
    seen: set[Path] = set()
    for place in any_source.places(root, document, ("spec", "template", "spec"), reading):
        key = _PARAMETER.search(place.value)
        if key is None or place.inside:
            yield msgspec.structs.replace(place, shape=SHAPE)
            continue
        chosen = element(root, reading, place.line)
        scalar = yaml_edit.find(root, (*chosen.path, key[1])) if chosen else None
        if scalar is None:
            yield place  # moving: the parameter comes from a generator that is not a list
        elif scalar.path not in seen:
            seen.add(scalar.path)
            yield reading.place(document, scalar, place.role, SHAPE, subject=place.subject)


def element(root: Node, reading: Reading, line: int = 1) -> Element | None:
    """The list element of the environment; None without a list generator. Stop when it is not clear which."""
    found = tuple(_elements(root, ()))
    if len(found) < 2:
        return found[0] if found else None
    environment = reading.environment
    name = text_at(root, "spec", "template", "metadata", "name")
    chosen = [
        one
        for one in found
        if environment is not None
        and (environment.name in one.values.values() or fill(name, one) in environment.argocd.applications)
    ]
    if len(chosen) == 1:
        return chosen[0]
    lines = ", ".join(str(one.line) for one in chosen or found)
    raise Stop(
        "ambiguous-pin",
        f"{reading.file} has {len(found)} elements for {reading.settings.app}.",
        f"Those in lines {lines} could be meant, and nothing says which one.",
        "Give the element a value that is the environment's name, or name its Application in argocd.applications.",
        file=reading.file,
        line=(chosen or found)[0].line or line,
    )


def application(root: Node, parsed: dict[str, object], reading: Reading) -> dict[str, object] | None:
    """The Application that the set makes for the environment; None where it needs more than a list element."""
    spec = parsed.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    if not isinstance(template, dict):
        return None
    filled = _fill_all(template, element(root, reading))
    made = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **filled}
    return None if "{{" in repr(filled) else made


def fill(text: str, one: Element | None) -> str:
    """A text of the template with the element's values in it."""
    return _PARAMETER.sub(lambda hole: one.values.get(hole[1], hole[0]) if one else hole[0], text)


def _fill_all(value: object, one: Element | None) -> dict[str, object]:
    def walk(item: object) -> object:
        if isinstance(item, dict):
            return {key: walk(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [walk(inner) for inner in item]
        return fill(item, one) if isinstance(item, str) else item

    filled = walk(value)
    return filled if isinstance(filled, dict) else {}


def _elements(node: Node, path: Path) -> Iterator[Element]:
    """Elements of every list generator below a node, also inside matrix and merge generators."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            if here[-2:] == ("list", "elements") and isinstance(value, SequenceNode):
                yield from _listed(value.value, here)
            elif here != ("spec", "template"):
                yield from _elements(value, here)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _elements(value, (*path, index))


def _listed(items: Sequence[Node], path: Path) -> Iterator[Element]:
    for index, item in enumerate(items):
        if isinstance(item, MappingNode):
            scalars = {str(k.value): str(v.value) for k, v in item.value if isinstance(v, ScalarNode)}
            yield Element(path=(*path, index), line=item.start_mark.line + 1, values=scalars)
