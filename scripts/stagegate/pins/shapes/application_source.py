"""Shape (a): an Argo CD source with `chart` and `targetRevision`, and the Helm parameter of the image tag."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, items_at, text_at
from stagegate.yaml_edit import Path

SHAPE = "application"


def places(root: Node, document: int, base: Path, reading: Reading) -> Iterator[PinPlace]:
    """Chart revision and image tag parameter of the source at `base`, where it is our chart."""
    url, chart, path = (text_at(root, *base, key) for key in ("repoURL", "chart", "path"))
    if not ownership.is_our_source(url, chart, path, reading.settings):
        return
    if chart and reading.settings.moves_chart:
        revision = yaml_edit.find(root, (*base, "targetRevision"))
        if revision is None:
            raise _no_revision(root, base, reading)
        yield reading.place(document, revision, "chart-version", SHAPE)
    wanted = ownership.image_tag_value(reading.settings)
    for index, item in enumerate(items_at(root, *base, "helm", "parameters")):
        if wanted and text_at(item, "name") == wanted:
            value = yaml_edit.find(root, (*base, "helm", "parameters", index, "value"))
            if value is not None and value.value:
                yield reading.place(document, value, "image-tag", SHAPE)


def _no_revision(root: Node, base: Path, reading: Reading) -> Stop:
    chart = yaml_edit.find(root, (*base, "chart"))
    return Stop(
        "ambiguous-pin",
        f"{reading.file} names the chart of {reading.settings.app} without a targetRevision.",
        "Argo CD then takes whatever is newest.",
        "Write the version that runs there now.",
        file=reading.file,
        line=chart.line if chart else None,
    )
