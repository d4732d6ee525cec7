"""Shape (h): an umbrella chart that depends on ours, `dependencies[].version` in its Chart.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, items_at, text_at

SHAPE = "umbrella-chart"


def places(root: Node, document: int, reading: Reading) -> Iterator[PinPlace]:
    """The version of our chart among the dependencies of a Chart.yaml."""
    if text_at(root, "kind") or not reading.settings.moves_chart:
        return
    for index, item in enumerate(items_at(root, "dependencies")):
        if ownership.is_our_chart(text_at(item, "repository"), text_at(item, "name"), reading.settings):
            version = yaml_edit.find(root, ("dependencies", index, "version"))
            if version is not None:
                yield reading.place(document, version, "chart-version", SHAPE)
