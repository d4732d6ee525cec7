"""Any scalar of a YAML or JSON file, named in the settings as `{file, path, value}`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import templates
from stagegate.pins.place import PinPlace, Reading
from stagegate.settings import Pin
from stagegate.yaml_edit import Scalar

SHAPE = "custom"


def places(nodes: Sequence[Node], pin: Pin, reading: Reading) -> Iterator[PinPlace]:
    """The one scalar at the pin's path. Stop(ambiguous-pin) when it is in no document, or in several."""
    template = templates.expand(pin.value, reading.settings)
    found: list[tuple[int, Scalar]] = []
    for index, node in enumerate(nodes):
        scalar = yaml_edit.find(node, pin.path)
        if scalar is not None:
            found.append((index, scalar))
    if len(found) != 1:
        lines = ", ".join(str(scalar.line) for _, scalar in found)
        raise Stop(
            "ambiguous-pin",
            f"{pin.file} has {'several values' if found else 'no single value'} at {pin.path or 'its root'}.",
            f"They stand in lines {lines}, in different documents."
            if found
            else "The path leads nowhere, to several places, or to something that is not a scalar.",
            "Correct the pin's path in the settings, or the file.",
            file=pin.file,
            line=found[0][1].line if found else 1,
        )
    index, scalar = found[0]
    yield reading.place(index, scalar, "custom", SHAPE, template=template)
