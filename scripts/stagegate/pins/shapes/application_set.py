"""An ApplicationSet: the release stands in its template, or in the list elements of an environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins.place import PinPlace, Shape, ShapeContext, items_at, text_at
from stagegate.pins.shapes import sources
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode, plain

NAME = "application-set"
_TEMPLATE: Path = ("spec", "template", "spec")
_PARAMETER = re.compile(r"\{\{-?\s*\.?([\w][\w.-]*)\s*-?\}\}")
_ONE_PARAMETER = re.compile(r"[^{}]*\{\{-?\s*\.?([\w][\w.-]*)\s*-?\}\}[^{}]*")


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One element of a list generator: where it is, and its scalars by dotted key."""

    path: Path
    line: int
    values: dict[str, str]


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Literal places of the template, and the elements' scalars where the template names a parameter."""
    if not sources.is_kind(root, "ApplicationSet"):
        return
    template = yaml_edit.resolve(root, _TEMPLATE)
    if template is None:
        return
    seen: set[tuple[Path, Path]] = set()
    chosen_elements = elements(root, reading)
    others = _of_others(root, chosen_elements, reading)
    for chosen in chosen_elements or (None,):
        view = _view(template[1], chosen)
        for place in sources.in_spec(view, document, (), reading):
            found = _placed(root, template[1], place, chosen, document, reading)
            if others and found.path[: len(_TEMPLATE)] == _TEMPLATE and not found.moving:
                raise _shared(found, others, reading)
            if (found.path, found.inside) not in seen:
                seen.add((found.path, found.inside))
                yield found


def elements(root: Node, reading: ShapeContext) -> tuple[Element, ...]:
    """The list elements of the environment whose Application is ours; none without a list generator.

    `argocd.applications` decides where the environment has it, else the elements that have the environment's name
    among their values. Stop(ambiguous-pin) when it is not clear which.
    """
    template = yaml_edit.resolve(root, _TEMPLATE)
    every = tuple(_elements(root, ()))
    if template is None or not every:
        return ()
    ours = tuple(one for one in every if _is_ours(_view(template[1], one), reading))
    environment = reading.environment
    if environment is None:
        if len(ours) > 1:
            raise _unclear(ours, reading, ())
        return ours
    name = text_at(root, "spec", "template", "metadata", "name")
    wanted = environment.argo.application_names
    named = tuple(one for one in ours if fill(name, one) in wanted)
    if named:
        return named
    whole = [fill(name, one) for one in ours]
    if wanted and ours and all("{{" not in one for one in whole):
        raise Stop(
            "ambiguous-pin",
            f"{reading.file} has no element for {environment.name}.",
            f"It makes {', '.join(dict.fromkeys(whole))}, and {environment.name} has {', '.join(wanted)}.",
            reading.way_to_name(whole)
            or "Name the Application of this environment in argocd.applications, or add its element.",
            file=reading.file,
            line=ours[0].line,
        )
    alike = tuple(one for one in ours if environment.name in one.values.values())
    if alike:
        return alike
    others = {other.name for other in reading.settings.environments} - {environment.name}
    if len(ours) == 1 and not others & set(ours[0].values.values()):
        return ours
    if ours:
        raise _unclear(ours, reading, whole)
    return ()


def every_element(root: Node) -> tuple[Element, ...]:
    """The elements of all list generators of a set."""
    return tuple(_elements(root, ()))


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
        for one in _elements(root, ())
        if one not in chosen
        and (fill(name, one) in applications or names & set(one.values.values()))
        and _is_ours(_view(_template(root), one), reading)
    )


def _template(root: Node) -> Node:
    found = yaml_edit.resolve(root, _TEMPLATE)
    return found[1] if found else root


def _shared(place: PinPlace, others: Sequence[Element], reading: ShapeContext) -> Stop:
    environment = reading.environment.name if reading.environment else "this environment"
    lines = ", ".join(str(one.line) for one in others)
    return Stop(
        "ambiguous-pin",
        f"{reading.file} has {place.value} in its template, which is not only {environment}'s.",
        f"The elements in lines {lines} take it too, so an edit would move what others run.",
        "Give each element a value of its own, such as version, and write {{version}} in the template.",
        file=reading.file,
        line=place.line,
    )


def applications(root: Node, reading: ShapeContext) -> Iterator[dict[str, Any]]:
    """The Applications that the set makes for the environment; none where it needs more than a list element."""
    template = yaml_edit.resolve(root, ("spec", "template"))
    if template is None:
        return
    for chosen in elements(root, reading) or (None,):
        made = plain(_view(template[1], chosen))
        if isinstance(made, dict) and "{{" not in repr(made):
            yield {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **made}


def fill(text: str, one: Element | None) -> str:
    """A text of the template with the element's values in it."""
    return _PARAMETER.sub(lambda hole: one.values.get(hole[1], hole[0]) if one else hole[0], text)


def _placed(
    root: Node, template: Node, place: PinPlace, one: Element | None, document: int, reading: ShapeContext
) -> PinPlace:
    """A place of the filled template where it really stands: in the template, or in the element."""
    written = _original(template, place)
    if written is not None and "{{" not in written:
        return msgspec.structs.replace(place.below(_TEMPLATE), shape=NAME)
    hole = _ONE_PARAMETER.fullmatch(written or "")
    scalar = yaml_edit.find(root, (*one.path, *hole[1].split("."))) if hole and one else None
    if scalar is not None:
        return reading.place(document, scalar, place.role, NAME, subject=place.subject)
    return msgspec.structs.replace(
        place.below(_TEMPLATE),
        value=written or place.value,
        shape=NAME,
        moving=True,
        cure=_generator_cure(root, hole[1] if hole else "", reading),
    )


def _original(template: Node, place: PinPlace) -> str | None:
    scalar = yaml_edit.find(template, place.path)
    if scalar is None or not place.inside:
        return scalar.value if scalar else None
    inner = yaml_edit.inside(scalar, place.file)
    found = yaml_edit.find(inner, place.inside) if inner is not None else None
    return found.value if found else None


def _generator_cure(root: Node, parameter: str, reading: ShapeContext) -> str:
    """Where a parameter comes from, and the settings line that pins it there."""
    for number, generator in enumerate(items_at(root, "spec", "generators")):
        for file in items_at(generator, "git", "files"):
            path = text_at(file, "path")
            name = reading.environment.name if reading.environment else "prod"
            concrete = path.replace("**", name).replace("*", name)
            return (
                f"It is a parameter that a Git generator reads from {path}. Pin the file there: "
                f"{{file: {concrete}, path: {parameter or 'version'}}}."
            )
        for kind in ("clusters", "git", "scmProvider", "pullRequest", "plugin", "list"):
            key, _, name = parameter.partition(".")
            own = yaml_edit.resolve(generator, (kind, "values", name)) if key == "values" and name else None
            if own is not None:
                place = f"spec.generators.{number}.{kind}.values.{name}"
                return (
                    f"It is a value of the generator in line {own[1].start_mark.line + 1}. Name it as the pin: "
                    f"{{file: {reading.file}, path: {place}}}."
                )
    what = f"the parameter {parameter}" if parameter else "a template expression"
    return (
        f"It is {what} of a generator, so its value stands elsewhere. Name that file and key as the pin: "
        f"{{file: ..., path: {parameter or 'version'}}}."
    )


def _is_ours(view: Node, reading: ShapeContext) -> bool:
    try:
        return next(sources.in_spec(view, 0, (), reading), None) is not None
    except Stop:
        return True  # ours, and with something to say about it later


def _unclear(ours: Sequence[Element], reading: ShapeContext, names: Sequence[str]) -> Stop:
    return Stop(
        "ambiguous-pin",
        f"{reading.file} has {len(ours)} element{'s' if len(ours) > 1 else ''} for {reading.settings.app}.",
        f"Lines {', '.join(str(one.line) for one in ours)}: none is marked as this environment's.",
        reading.way_to_name(names)
        or "Give the element the environment's name as a value, or name its Application in argocd.applications.",
        file=reading.file,
        line=ours[0].line,
    )


def _view(node: Node, one: Element | None) -> Node:
    """A copy of a node in which the element's values stand for the parameters; marks stay those of the file."""
    if isinstance(node, MappingNode):
        pairs = [(key, _view(value, one)) for key, value in node.value]
        return MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, SequenceNode):
        items = [_view(item, one) for item in node.value]
        return SequenceNode(node.tag, items, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, ScalarNode) and "{{" in node.value:
        return ScalarNode(node.tag, fill(node.value, one), node.start_mark, node.end_mark, node.style)
    return node


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
            scalars = {".".join(map(str, place)): text for place, (_, text) in yaml_edit.leaves(item)}
            yield Element(path=(*path, index), line=item.start_mark.line + 1, values=scalars)


SHAPE = Shape(
    name=NAME,
    title="Argo CD ApplicationSet",
    about=(
        "The revision in the template, or the list elements of the environment: those whose Application is in "
        "`argocd.applications`, else those that have the environment's name as a value."
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
