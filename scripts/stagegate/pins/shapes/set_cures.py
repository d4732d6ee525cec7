"""Versions of an ApplicationSet that are written elsewhere: refused, with the settings line for the other place."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import settings_line, templates
from stagegate.pins.fields import items_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shapes.set_elements import TEMPLATE, Element
from stagegate.settings import PinSettings
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node, SequenceNode

_NAMED = re.compile(r"(?<![\w\"])\.([A-Za-z_][\w.]*)|\"([\w.-]+)\"")


def refuse_overridden(root: Node, place: PinPlace, below: Path, reading: ShapeContext) -> None:
    """Stop(ambiguous-pin) for a place whose value is replaced by a generator's own template or by `templatePatch`.

    `below` is where the template has it, below `spec.template`.
    """
    patch = yaml_edit.find(root, ("spec", "templatePatch"))
    steps = {str(step) for step in below if step not in ("spec", "source", "sources")} - {"value"}
    is_element = place.path[:2] != TEMPLATE[:2]
    reads = re.compile(rf"\{{\{{[^}}]*\b{re.escape(str(place.path[-1]))}\b")
    owner, cure = "", ""
    for path in _own_templates(root, ()):
        other = yaml_edit.find(root, (*path, *below))
        if other is None or not other.value or (is_element and reads.search(other.value)):
            continue
        owner = f"the generator in line {other.line} has a template of its own"
        pin = PinSettings(
            file=reading.file, path=yaml_edit.written_path(other.path), value=place.template or "{version}"
        )
        cure = f"Name the revision in the template of the generator as the pin: {settings_line.written(pin)}."
    words = "|".join(map(re.escape, sorted(steps)))
    sets = patch and re.search(rf"(?m)^\s*(?:- )?(?:{words})\s*:", patch.value)
    if patch and sets and not (is_element and reads.search(patch.value)):
        owner = f"the templatePatch in line {patch.line} sets the same value too"
        cure = "Move the version out of the templatePatch into the template or the elements."
    if owner:
        raise Stop(
            "ambiguous-pin",
            f"{reading.file} has {place.value} at {place.where}, and Argo CD may apply a different value.",
            f"Another part of the ApplicationSet overrides its template: {owner}.",
            cure,
            file=reading.file,
            line=place.line,
        )


def _own_templates(node: Node, path: Path) -> Iterator[Path]:
    """Paths of the templates that generators have themselves, at any depth."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            key_path = (*path, str(key.value))
            if len(path) > 2 and key.value == "template" and isinstance(value, MappingNode):
                yield key_path
            else:
                yield from _own_templates(value, key_path)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield from _own_templates(value, (*path, index))


def element_cure(written: str, one: Element | None, reading: ShapeContext) -> str:
    """The settings line for the value of the element that an expression such as `{{ .tag | trim }}` reads."""
    for dotted, quoted in _NAMED.findall(written) if one else ():
        key = dotted or quoted
        if one and templates.guess(one.values.get(key, ""), "chart-version", reading.settings):
            template = templates.guess(one.values[key], "chart-version", reading.settings)
            pin = PinSettings(
                file=reading.file,
                path=yaml_edit.written_path(one.place_of(key)),
                value=template,
            )
            return (
                f"The value is an expression over a value of the list element in line {one.line}. "
                f"Name the value in the list element as the pin: {settings_line.written(pin)}."
            )
    return ""


def generator_cure(root: Node, parameter: str, reading: ShapeContext) -> str:
    """Where a parameter comes from, and the settings line that pins it there."""
    for number, generator in enumerate(items_at(root, "spec", "generators")):
        for file in items_at(generator, "git", "files"):
            path = text_at(file, "path")
            name = reading.environment.name if reading.environment else "prod"
            concrete = path.replace("**", name).replace("*", name)
            return (
                f"The value is a parameter that a Git generator reads from {path}. Name the file "
                f"that the generator reads as the pin: {{file: {concrete}, path: "
                f"{parameter or 'version'}}}."
            )
        for kind in ("clusters", "git", "scmProvider", "pullRequest", "plugin", "list"):
            key, _, name = parameter.partition(".")
            own = yaml_edit.resolve(generator, (kind, "values", name)) if key == "values" and name else None
            if own is not None:
                place = f"spec.generators.{number}.{kind}.values.{name}"
                return (
                    f"The value comes from the generator in line {own[1].start_mark.line + 1}. "
                    f"Name the value in the generator as the pin: {{file: {reading.file}, path: "
                    f"{place}}}."
                )
    what = f"the parameter {parameter}" if parameter else "a template expression"
    return (
        f"The value is {what} of a generator, so the version itself is in another place. "
        f"{reading.elsewhere(parameter)}"
    )
