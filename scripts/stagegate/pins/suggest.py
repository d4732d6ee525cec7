"""What to write in the settings where no shape is recognised: a line that was tried before it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import templates
from stagegate.pins.place import Reading, text_at
from stagegate.pins.shapes import custom
from stagegate.settings import Pin
from stagegate.yaml_nodes import Node


def nothing(nodes: Sequence[Node], reading: Reading) -> Stop:
    """Stop(ambiguous-pin) for a file in which no field is the app's, with a settings line that would work."""
    settings = reading.settings
    names = ", ".join(name for name in (settings.chart_reference, *settings.images) if name)
    line, suggestion = next(_lines(nodes, reading), (1, ""))
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


def _lines(nodes: Sequence[Node], reading: Reading) -> Iterator[tuple[int, str]]:
    """Settings lines for values that look like a release, the ones below the app's name first."""
    candidates = []
    for node in nodes:
        if text_at(node, "apiVersion").startswith("argoproj.io/"):
            continue  # a chart or repository of others: what the app's own would look like is in the shapes
        for path, (_, value) in yaml_edit.leaves(node):
            template = templates.guess(value, "image-tag", reading.settings)
            if template and "{version}" in template:
                near = any(reading.settings.app in str(step) for step in path)
                candidates.append((not near, len(path), yaml_edit.written_path(path), template))
    for _, _, key, template in sorted(candidates):
        pin = Pin(file=reading.file, path=key, value=template)
        try:
            (place,) = custom.places(nodes, pin, reading)
        except (Stop, ValueError):
            continue
        value = "" if template == "{version}" else f', value: "{template}"'
        yield place.line, f"{{file: {reading.file}, path: {key}{value}}}"
