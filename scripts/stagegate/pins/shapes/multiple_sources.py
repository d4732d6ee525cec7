"""Shape (c): an Application with `sources`: the chart, and a values repository by `ref`.

A `ref` source pinned by a release tag moves with the chart; one that follows a branch stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, text_at
from stagegate.yaml_edit import Path

SHAPE = "multiple-sources"


def places(root: Node, document: int, base: Path, reading: Reading) -> Iterator[PinPlace]:
    """The revision of a `ref` source at `base`, where it is a tag of ours."""
    url = text_at(root, *base, "repoURL")
    if not text_at(root, *base, "ref") or text_at(root, *base, "chart"):
        return
    if reading.settings.source and not ownership.is_our_repository(url, reading.settings):
        return
    revision = yaml_edit.find(root, (*base, "targetRevision"))
    if revision is None:
        return
    place = reading.place(document, revision, "git-revision", SHAPE)
    if not place.moving:
        yield place
