"""The elements of an ApplicationSet's list generators, and the Application that each of them makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins.fields import text_at
from stagegate.pins.place import ShapeContext
from stagegate.pins.shapes import sources
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node, ScalarNode, SequenceNode

TEMPLATE: Path = ("spec", "template", "spec")
_PARAMETER = re.compile(r"\{\{-?\s*\.?([\w][\w.-]*)\s*-?\}\}")


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One element of a list generator: where it is, and its scalars by dotted key."""

    path: Path
    line: int
    values: dict[str, str]
    origins: Mapping[str, Path] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The path of the element, and of those that a merge generator put into it."""
        return tuple(dict.fromkeys((*self.origins.values(), self.path)))

    def place_of(self, key: str) -> Path:
        """The path of a value; in an element that a merge generator made, that of the generator that wins."""
        return (*self.origins.get(key, self.path), *key.split("."))


def elements(root: Node, reading: ShapeContext) -> tuple[Element, ...]:
    """The list elements of the environment whose Application is ours; none without a list generator.

    `argocd.applications` decides where the environment has it, else the elements that have the environment's name
    among their values. Stop(ambiguous-pin) when it is not clear which.
    """
    template = yaml_edit.resolve(root, TEMPLATE)
    name = text_at(root, "spec", "template", "metadata", "name")
    every = _merged(tuple(_listed_all(root, ())), name)
    if template is None or not every:
        return ()
    ours = tuple(one for one in every if is_ours(filled(template[1], one), reading))
    environment = reading.environment
    if environment is None:
        if len(ours) > 1:
            raise _unclear(ours, reading, ())
        return ours
    wanted = environment.argo.application_names
    named = tuple(one for one in ours if fill(name, one) in wanted)
    if named:
        return named
    whole = [fill(name, one) for one in ours]
    if wanted and ours and all("{{" not in one for one in whole):
        raise Stop(
            "ambiguous-pin",
            f"The list generator in {reading.file} has no element for {environment.name}.",
            f"The ApplicationSet makes {', '.join(dict.fromkeys(whole))}, but {environment.name} "
            f"has {', '.join(wanted)}.",
            reading.way_to_name(whole)
            or "Name the Application of this environment in argocd.applications, or add a list "
            "element for the environment.",
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
    return tuple(_listed_all(root, ()))


def fill(text: str, one: Element | None) -> str:
    """A text of the template with the element's values in it."""
    return _PARAMETER.sub(lambda hole: one.values.get(hole[1], hole[0]) if one else hole[0], text)


def filled(node: Node, one: Element | None) -> Node:
    """A copy of a node in which the element's values stand for the parameters; marks stay those of the file."""
    if isinstance(node, MappingNode):
        pairs = [(key, filled(value, one)) for key, value in node.value]
        return MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, SequenceNode):
        items = [filled(item, one) for item in node.value]
        return SequenceNode(node.tag, items, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, ScalarNode) and "{{" in node.value:
        return ScalarNode(node.tag, fill(node.value, one), node.start_mark, node.end_mark, node.style)
    return node


def is_ours(view: Node, reading: ShapeContext) -> bool:
    try:
        return next(sources.in_spec(view, 0, (), reading), None) is not None
    except Stop:
        return True  # ours, and with something to say about it later


def _merged(every: Sequence[Element], name: str) -> tuple[Element, ...]:
    """The elements, those of one merge generator that make the same Application as one: the later value wins."""
    by_path: dict[tuple[Path, str], Element] = {}
    for number, one in enumerate(every):
        made = fill(name, one)
        inside = "merge" in one.path and "{{" not in made
        key = (one.path[: one.path.index("merge")], made) if inside else ((number,), made)
        before = by_path.get(key)
        if before is None:
            by_path[key] = one
            continue
        origins = {**dict.fromkeys(before.values, before.path), **before.origins}
        by_path[key] = msgspec.structs.replace(
            one,
            values={**before.values, **one.values},
            origins={**origins, **dict.fromkeys(one.values, one.path)},
        )
    return tuple(by_path.values())


def _unclear(ours: Sequence[Element], reading: ShapeContext, names: Sequence[str]) -> Stop:
    return Stop(
        "ambiguous-pin",
        f"{reading.file} has {len(ours)} list element{'s' if len(ours) > 1 else ''} for {reading.settings.app}.",
        f"Lines {', '.join(str(one.line) for one in ours)}: stagegate cannot tell which of them "
        "belongs to this environment.",
        reading.way_to_name(names)
        or "Add the environment's name to its list element as a value, or name the environment's Application in "
        "argocd.applications.",
        file=reading.file,
        line=ours[0].line,
    )


def _listed_all(node: Node, path: Path) -> Iterator[Element]:
    """Elements of every list generator below a node, also inside matrix and merge generators."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            key_path = (*path, str(key.value))
            if key_path[-2:] == ("list", "elements") and isinstance(value, SequenceNode):
                yield from _listed(value.value, key_path)
            elif key_path != ("spec", "template"):
                yield from _listed_all(value, key_path)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _listed_all(value, (*path, index))


def _listed(items: Sequence[Node], path: Path) -> Iterator[Element]:
    for index, item in enumerate(items):
        if isinstance(item, MappingNode):
            scalars = {".".join(map(str, place)): text for place, (_, text) in yaml_edit.leaves(item)}
            yield Element(path=(*path, index), line=item.start_mark.line + 1, values=scalars)
