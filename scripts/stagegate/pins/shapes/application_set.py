"""An ApplicationSet: the release is in its template, or in the list elements of an environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins.fields import text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import set_cures, sources
from stagegate.pins.shapes.set_elements import (
    TEMPLATE,
    Element,
    elements,
    every_element,
    fill,
    filled,
    is_ours,
)
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node, plain

NAME = "application-set"
_ONE_PARAMETER = re.compile(r"[^{}]*\{\{-?\s*\.?([\w][\w.-]*)\s*-?\}\}[^{}]*")


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Literal places of the template, and the elements' scalars where the template names a parameter."""
    if not sources.is_kind(root, "ApplicationSet"):
        return
    template = yaml_edit.resolve(root, TEMPLATE)
    if template is None:
        return
    handled: set[tuple[Path, Path]] = set()
    chosen_elements = elements(root, reading)
    others = _of_others(root, chosen_elements, reading)
    for chosen in chosen_elements or (None,):
        view = filled(template[1], chosen)
        for place in sources.in_spec(view, document, (), reading):
            placed = _placed(root, template[1], place, chosen, document, reading)
            set_cures.refuse_overridden(root, placed, ("spec", *place.path), reading)
            if others and placed.path[: len(TEMPLATE)] == TEMPLATE and not placed.moving:
                raise _shared(placed, others, reading)
            if (placed.path, placed.inside) not in handled:
                handled.add((placed.path, placed.inside))
                yield placed


def _of_others(root: Node, chosen: Sequence[Element], reading: ShapeContext) -> tuple[Element, ...]:
    """List elements of another environment that the settings pin, and that takes what the template has too.

    An environment is pinned here when it has the file as a pin, or the element's Application.
    """
    environment = reading.environment
    if environment is None or not chosen:
        return ()
    name = text_at(root, "spec", "template", "metadata", "name")
    others = [other for other in reading.settings.environments if other.name != environment.name]
    names = {
        other.name for other in others if reading.file in {getattr(pin, "file", pin) for pin in other.pins}
    }
    applications = {one for other in others for one in other.argo.application_names}
    return tuple(
        one
        for one in every_element(root)
        if one not in chosen
        and (fill(name, one) in applications or names & set(one.values.values()))
        and is_ours(filled(_template(root), one), reading)
    )


def _template(root: Node) -> Node:
    resolved = yaml_edit.resolve(root, TEMPLATE)
    return resolved[1] if resolved else root


def _shared(place: PinPlace, others: Sequence[Element], reading: ShapeContext) -> Stop:
    environment = reading.environment.name if reading.environment else "this environment"
    lines = ", ".join(str(one.line) for one in others)
    return Stop(
        "ambiguous-pin",
        f"{reading.file} has {place.value} in its template, but the template does not only belong "
        f"to {environment}.",
        f"The list elements in lines {lines} use the template too, so an edit would also change "
        "other environments.",
        "Give each list element a value of its own, such as version, and write {{version}} in the template.",
        file=reading.file,
        line=place.line,
    )


def applications(root: Node, reading: ShapeContext) -> Iterator[dict[str, Any]]:
    """The Applications that the set makes for the environment; none where it needs more than a list element."""
    template = yaml_edit.resolve(root, ("spec", "template"))
    if template is None:
        return
    for chosen in elements(root, reading) or (None,):
        made = plain(filled(template[1], chosen))
        if isinstance(made, dict) and "{{" not in repr(made):
            yield {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **made}


def _placed(
    root: Node, template: Node, place: PinPlace, one: Element | None, document: int, reading: ShapeContext
) -> PinPlace:
    """The real position of a place of the filled template: in the template, or in the element."""
    written = _original(template, place)
    if written is not None and "{{" not in written:
        return msgspec.structs.replace(place.below(TEMPLATE), shape=NAME)
    hole = _ONE_PARAMETER.fullmatch(written or "")
    scalar = yaml_edit.find(root, one.place_of(hole[1])) if hole and one else None
    if scalar is not None:
        return reading.place(document, scalar, place.role, NAME, subject=place.subject)
    return msgspec.structs.replace(
        place.below(TEMPLATE),
        value=written or place.value,
        shape=NAME,
        moving=True,
        cure=set_cures.element_cure(written or "", one, reading)
        or set_cures.generator_cure(root, hole[1] if hole else "", reading),
    )


def _original(template: Node, place: PinPlace) -> str | None:
    scalar = yaml_edit.find(template, place.path)
    if scalar is None or not place.inside:
        return scalar.value if scalar else None
    inner = yaml_edit.inside(scalar, place.file)
    original = yaml_edit.find(inner, place.inside) if inner is not None else None
    return original.value if original else None


SHAPE = Shape(
    name=NAME,
    title="Argo CD ApplicationSet",
    about=(
        "The revision in the template, or the list elements of the environment. An element belongs "
        "to the environment if `argocd.applications` lists its Application, or else if one of its "
        "values is the environment's name."
    ),
    file="deploy/shop.yaml",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata:
  name: shop
spec:
  goTemplate: true
  generators:
    - list:
        elements:
          - {env: staging, version: 1.2.3}
          - {env: prod, version: 1.2.3}
  template:
    metadata:
      name: 'shop-{{ .env }}'
    spec:
      source:
        repoURL: ghcr.io/acme/charts
        chart: shop
        targetRevision: '{{ .version }}'
""",
    order=10,
    places=places,
)
