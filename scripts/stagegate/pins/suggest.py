"""What to write in the settings where no shape is recognised: a line that was tried before it is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import pattern, templates
from stagegate.pins.place import ShapeContext, text_at
from stagegate.pins.shapes import custom, image_fields
from stagegate.settings import PinSettings, Settings
from stagegate.yaml_nodes import Node

_VERSION = re.compile(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.]*\d)(?:-(?:rc|alpha|beta)[.\d]*)?")
_HOLES = re.compile(r"\{(?:version|commit)")
_TRIED = 200  # lines or values that a suggestion is looked for in
_LONGEST = 120  # characters of a pattern that people read in a message


def nothing(nodes: Sequence[Node], reading: ShapeContext, content: bytes) -> Stop:
    """Stop(ambiguous-pin) for a file in which no field is the app's, with a settings line that would work."""
    settings = reading.settings
    names = ", ".join(name for name in (settings.chart_reference, *settings.images) if name)
    line, suggestion = next(_lines(nodes, reading), (1, ""))
    if not suggestion and not any(text_at(node, "apiVersion").startswith("argoproj.io/") for node in nodes):
        line, suggestion = pattern_for(content, reading.file, settings)
    return Stop(
        "ambiguous-pin",
        f"{reading.file} pins nothing of {settings.app}.",
        f"No field of a known shape names {names or 'its chart or images'}.",
        f"If line {line} is the one, name it in the settings: {suggestion}."
        if suggestion
        else 'Correct the file, or name the field in the settings: {file: ..., path: a.b.c, value: "v{version}"}.',
        file=reading.file,
        line=line,
    )


def pattern_for(content: bytes, file: str, settings: Settings) -> tuple[int, str]:
    """A line of the file and the settings line that pins the version in it by a pattern; nothing where none does.

    Lines that name the app or one of its images come first.
    """
    try:
        lines = content.decode().removeprefix("\ufeff").splitlines()
    except UnicodeDecodeError:
        return 1, ""
    words = (settings.app, *(image.rpartition("/")[2] for image in settings.images))
    numbered = [(number, line.strip()) for number, line in enumerate(lines, 1) if _VERSION.search(line)]
    for _, line in sorted(numbered[:_TRIED], key=lambda one: not any(word in one[1] for word in words)):
        (version, *more) = _VERSION.finditer(line)
        template = f"{line[: version.start()]}{{version}}{line[version.end() :]}"
        in_comment = re.search(r"(?:^|\s)(?:#|//)", line[: version.start()]) is not None
        if more or len(template) > _LONGEST or in_comment:
            continue
        pin = PinSettings(file=file, pattern=template)
        try:
            (place,) = pattern.read(pin, content, settings).places
        except (Stop, ValueError):
            continue
        quoted = template.replace("'", "''")
        return place.line, f"{{file: {file}, pattern: '{quoted}'}}"
    return 1, ""


def _lines(nodes: Sequence[Node], reading: ShapeContext) -> Iterator[tuple[int, str]]:
    """Settings lines for values that look like a release, the ones beside or below the app's name first."""
    settings = reading.settings
    candidates = []
    for node in nodes:
        if text_at(node, "apiVersion").startswith("argoproj.io/"):
            continue  # a chart or repository of others: what the app's own would look like is in the shapes
        values = dict(yaml_edit.leaves(node))
        for path, (_, value) in values.items():
            template = templates.guess(value, "image-tag", settings)
            image, whole = image_fields.written(value, settings)
            template = whole if image else template
            if not template or not _HOLES.search(template) or path[-1:] in (("apiVersion",), ("appVersion",)):
                continue
            beside = (
                text for place, (_, text) in values.items() if place[:-1] == path[:-1] and place != path
            )
            near = any(settings.app in str(step) for step in path) or any(
                settings.app in one for one in beside
            )
            candidates.append((not near, len(path), yaml_edit.written_path(path), template))
    for _, _, key, template in sorted(candidates)[:_TRIED]:
        pin = PinSettings(file=reading.file, path=key, value=template)
        try:
            (place,) = custom.places(nodes, pin, reading)
        except (Stop, ValueError):
            continue
        where = f", path: {_flow(key)}" if key else ""
        value = "" if template == "{version}" else f', value: "{template}"'
        yield place.line, f"{{file: {reading.file}{where}{value}}}"


def _flow(key: str) -> str:
    """A path as it stands in `{}` of YAML."""
    return key if re.fullmatch(r"[\w.$/-]+", key) else "'" + key.replace("'", "''") + "'"
