"""Any scalar of a YAML or JSON file, named in the settings as `{file, path, value}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import templates
from stagegate.pins.place import PinPlace, ShapeContext, text_at
from stagegate.settings import PinSettings
from stagegate.yaml_edit import Scalar
from stagegate.yaml_nodes import Node

NAME = "custom"
_SELECTOR = re.compile(r"(?P<words>[\w./-]+=[^,:]+(?:,[\w./-]+=[^,:]+)*):(?P<path>.+)", re.DOTALL)


def places(nodes: Sequence[Node], pin: PinSettings, reading: ShapeContext) -> Iterator[PinPlace]:
    """The one scalar at the pin's path. Stop(ambiguous-pin) when it is in no document, or in several."""
    template = templates.expand(pin.value, reading.settings)
    wanted, path = selector(pin.path)
    found: list[tuple[int, Scalar]] = []
    for index, node in enumerate(nodes):
        if all(_selected(node, key, value) for key, value in wanted):
            scalar = yaml_edit.find(node, path) if path else yaml_edit.find(node, ())
            if scalar is not None:
                found.append((index, scalar))
    if len(found) != 1:
        raise _not_one(nodes, pin, path, found)
    index, scalar = found[0]
    subject = (
        next((i for i in reading.settings.images if i in template), "") if "{digest}" in template else ""
    )
    yield reading.place(index, scalar, "custom", NAME, template=template, subject=subject)


def selector(path: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """The conditions before a path and the path itself: `kind=Deployment,name=shop:spec.replicas`."""
    match = _SELECTOR.fullmatch(path)
    if match is None:
        return (), path
    words = (word.split("=", 1) for word in match["words"].split(","))
    return tuple((key, value) for key, value in words), match["path"]


def _selected(node: Node, key: str, value: str) -> bool:
    path = f"metadata.{key}" if key in ("name", "namespace") else key
    return text_at(node, *yaml_edit.parse_path(path)) == value  # type: ignore[arg-type]


def _not_one(nodes: Sequence[Node], pin: PinSettings, path: str, found: Sequence[tuple[int, Scalar]]) -> Stop:
    if not found:
        return Stop(
            "ambiguous-pin",
            f"{pin.file} has no single value at {pin.path or 'its root'}.",
            "The path leads nowhere, to several places, or to something that is not a scalar.",
            "Correct the pin's path in the settings, or the file.",
            file=pin.file,
            line=1,
        )
    lines = ", ".join(str(scalar.line) for _, scalar in found)
    index = found[0][0]
    words = [("kind", text_at(nodes[index], "kind")), ("name", text_at(nodes[index], "metadata", "name"))]
    shown = ",".join(f"{key}={value}" for key, value in words if value)
    return Stop(
        "ambiguous-pin",
        f"{pin.file} has several values at {path}.",
        f"They stand in lines {lines}, in different documents.",
        "Name the document before the path, such as "
        f'{{file: {pin.file}, path: "{shown or "kind=Deployment"}:{path}"}}.',
        file=pin.file,
        line=found[0][1].line,
    )
