"""Shape (d): our chart as a folder in Git; the revision moves when it is a release tag or commit, a branch stays.

The image tag is then in a values file, which is a pin of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, text_at
from stagegate.yaml_edit import Path

SHAPE = "git-source"


def places(root: Node, document: int, base: Path, reading: Reading) -> Iterator[PinPlace]:
    """The revision of the Git source at `base`, where it shows our chart and names a release."""
    url, path = text_at(root, *base, "repoURL"), text_at(root, *base, "path")
    if text_at(root, *base, "chart") or url.startswith("oci://"):
        return
    if not ownership.is_our_chart_folder(url, path, reading.settings):
        return
    revision = yaml_edit.find(root, (*base, "targetRevision"))
    if revision is None:
        return
    place = reading.place(document, revision, "git-revision", SHAPE)
    if not place.moving or "*" in place.value:
        yield place
