"""Shape (f): a native OCI source (Argo CD 3.1 and newer), pinned by digest or by version."""

from __future__ import annotations

from collections.abc import Iterator

from ruamel.yaml.nodes import Node

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.place import PinPlace, Reading, text_at
from stagegate.yaml_edit import Path

SHAPE = "native-oci"


def places(root: Node, document: int, base: Path, reading: Reading) -> Iterator[PinPlace]:
    """The revision of the source at `base`, where its address is our chart."""
    url = text_at(root, *base, "repoURL")
    if not url.startswith("oci://") or text_at(root, *base, "chart"):
        return
    if not ownership.is_our_chart(url, "", reading.settings) or not reading.settings.moves_chart:
        return
    revision = yaml_edit.find(root, (*base, "targetRevision"))
    if revision is not None:
        role = "chart-digest" if revision.value.startswith("sha256:") else "chart-version"
        subject = reading.settings.chart_reference
        yield reading.place(document, revision, role, SHAPE, subject=subject)  # type: ignore[arg-type]
