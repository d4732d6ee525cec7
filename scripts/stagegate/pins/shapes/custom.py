"""Any scalar of a YAML or JSON file, named in the settings as `{file, path, value}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from stagegate import yaml_edit
from stagegate.pins import settings_line, templates
from stagegate.pins.fields import text_at
from stagegate.pins.place import PinPlace, ShapeContext, flavoured
from stagegate.settings import PinSettings
from stagegate.yaml_edit import Scalar
from stagegate.yaml_nodes import Node

NAME = "custom"
_SELECTOR = re.compile(r"(?P<words>[\w./-]+=[^,:]+(?:,[\w./-]+=[^,:]+)*):(?P<path>.+)", re.DOTALL)


def matching(nodes: Sequence[Node], pin: PinSettings) -> list[tuple[int, Scalar]]:
    """Every scalar at the pin's path, with the number of its document."""
    wanted, path = selector(pin.path)
    matches: list[tuple[int, Scalar]] = []
    for index, node in enumerate(nodes):
        if all(_selected(node, key, value) for key, value in wanted):
            scalar = yaml_edit.find(node, path) if path else yaml_edit.find(node, ())
            if scalar is not None:
                matches.append((index, scalar))
    return matches


def places(nodes: Sequence[Node], pin: PinSettings, reading: ShapeContext) -> Iterator[PinPlace]:
    """The one scalar at the pin's path; nothing where there is none, or several. Stop(ambiguous-pin) for one whose
    template would lose the variant of the image."""
    template = templates.expand(pin.value, reading.settings)
    matches = matching(nodes, pin)
    if len(matches) != 1:
        return
    index, scalar = matches[0]
    if flavour := templates.swallowed(template, scalar.value):
        whole = msgspec.structs.replace(pin, value=templates.with_flavour(template, flavour))
        cure = settings_line.written(whole)
        raise flavoured(reading.file, scalar.value, template, flavour, cure, scalar.line)
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
