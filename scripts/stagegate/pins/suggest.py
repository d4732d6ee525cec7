"""What to write in the settings where a file or path pins nothing: a line that is tested before it is printed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import settings_line, templates, text_pattern
from stagegate.pins.fields import doubled, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shapes import custom, image_fields
from stagegate.settings import PinSettings
from stagegate.yaml_nodes import Node

_HOLES = re.compile(r"\{(?:version|commit)")
_TRIED = 200  # values that a suggestion is looked for in


def nothing(nodes: Sequence[Node], reading: ShapeContext, content: bytes) -> Stop:
    """Stop(ambiguous-pin) for a file in which no field is the app's, with a settings line that would work."""
    settings = reading.settings
    if stop := next(filter(None, (doubled(node, reading.file) for node in nodes)), None):
        return stop
    names = ", ".join(name for name in (settings.chart_reference, *settings.images) if name)
    line, suggestion = next(_lines(nodes, reading), (1, ""))
    if not suggestion and not any(text_at(node, "apiVersion").startswith("argoproj.io/") for node in nodes):
        line, suggestion = text_pattern.proposal(content, reading.file, settings)
    return Stop(
        "ambiguous-pin",
        f"{reading.file} contains no pin of {settings.app}.",
        f"No field of a known shape contains {names or 'an image or a chart'}.",
        f"If line {line} contains the version, name the line in the settings: {suggestion}."
        if suggestion
        else "Name a different file in `pins`, or name the field: "
        + settings_line.written(PinSettings(file=reading.file, path="a.b.c", value="v{version}")),
        file=reading.file,
        line=line,
    )


def not_one(nodes: Sequence[Node], pin: PinSettings, reading: ShapeContext) -> Stop:
    """Stop(ambiguous-pin) for a path that leads to no single value, with a settings line that does."""
    matches = custom.matching(nodes, pin)
    if matches:
        index, scalar = matches[0]
        template = templates.expand(pin.value, reading.settings)
        cure = _selected(nodes, index, scalar.path, template, reading) or _by_text(scalar.line, reading)
        where = ", ".join(str(one.line) for _, one in matches)
        return Stop(
            "ambiguous-pin",
            f"{pin.file} has several values at {pin.path}.",
            f"The values are in lines {where}, in different documents.",
            f"If line {scalar.line} is the right one, write {cure}."
            if cure
            else "Give the documents different names, or put each document into a separate file.",
            file=pin.file,
            line=scalar.line,
        )
    line, cure = next(_lines(nodes, reading, like=pin.path), (1, ""))
    if not cure:
        line, cure = text_pattern.proposal(reading.content, pin.file, reading.settings, like=pin.path)
    return Stop(
        "ambiguous-pin",
        f"{pin.file} has no single value at {pin.path or 'its root'}.",
        "The path leads to no place, to several places, or to something that is not a single value.",
        f"If line {line} is the version of this app, write {cure} in the settings."
        if cure
        else "No value of the file looks like a version. Correct the file name or the file.",
        file=pin.file,
        line=line,
    )


def for_place(place: PinPlace, template: str, nodes: Sequence[Node], reading: ShapeContext) -> str:
    """The settings line that names a place by itself, written like the template; nothing where none works."""
    if place.inside or place.span != (0, 0):
        return _by_text(place.line, reading)
    return _selected(nodes, place.document, place.path, template, reading) or _by_text(place.line, reading)


def _by_text(line: int, reading: ShapeContext) -> str:
    return text_pattern.proposal(reading.content, reading.file, reading.settings, line=line)[1]


def _selected(
    nodes: Sequence[Node], document: int, path: yaml_edit.Path, template: str, reading: ShapeContext
) -> str:
    """The settings line for a path in a document, with as much of a selector as it needs."""
    node, key = nodes[document], yaml_edit.written_path(path)
    words = [
        (name, text)
        for name, at in (("kind", "kind"), ("name", "metadata.name"), ("namespace", "metadata.namespace"))
        if (text := text_at(node, *at.split("."))) and not re.search(r"[,:=]", text)
    ]
    selectors = [words[:number] for number in range(len(words) + 1)]
    for chosen in selectors if len(nodes) > 1 else selectors[:1]:
        selector = ",".join(f"{name}={text}" for name, text in chosen)
        pin = PinSettings(file=reading.file, path=f"{selector}:{key}" if selector else key, value=template)
        if _works(nodes, pin, reading):
            return settings_line.written(pin)
    return ""


def _works(nodes: Sequence[Node], pin: PinSettings, reading: ShapeContext) -> PinPlace | None:
    """The one place that a pin names, where it names an exact release."""
    try:
        (place,) = custom.places(nodes, pin, reading)
    except (Stop, ValueError):
        return None
    return None if place.moving else place


def _lines(nodes: Sequence[Node], reading: ShapeContext, like: str = "") -> Iterator[tuple[int, str]]:
    """Settings lines for values that look like a release.

    First come those whose path resembles `like`, or without it those beside or below the app's name.
    """
    settings = reading.settings
    candidates = []
    for number, node in enumerate(nodes):
        if not like and text_at(node, "apiVersion").startswith("argoproj.io/"):
            continue  # a chart or repository of others: what the app's own would look like is in the shapes
        values = dict(yaml_edit.leaves(node))
        for path, (_, value) in values.items():
            template = templates.guess(value, "image-tag", settings) or templates.variant(value)
            image, whole = image_fields.written(value, settings)
            template = whole if image and whole else template
            if not template or not _HOLES.search(template) or path[-1:] in (("apiVersion",), ("appVersion",)):
                continue
            beside = (
                text for place, (_, text) in values.items() if place[:-1] == path[:-1] and place != path
            )
            near = any(settings.app in str(step) for step in path) or any(
                settings.app in one for one in beside
            )
            key = yaml_edit.written_path(path)
            alike = difflib.SequenceMatcher(None, like, key, autojunk=False).ratio() if like else 0
            candidates.append((-alike, not near, len(path), key, number, path, template))
    for *_, number, path, template in sorted(candidates)[:_TRIED]:
        if line := _selected(nodes, number, path, template, reading):
            scalar = yaml_edit.find(nodes[number], path)
            yield scalar.line if scalar else 1, line
