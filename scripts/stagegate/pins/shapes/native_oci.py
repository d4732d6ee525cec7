"""A native OCI source (Argo CD 3.1 and newer), pinned by digest or by version."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins import ownership
from stagegate.pins.fields import scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

NAME = "native-oci"


def places(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """The revision of the source at `base`, where its address is our chart."""
    url = text_at(root, *base, "repoURL")
    if not url.startswith("oci://") or text_at(root, *base, "chart"):
        return
    if not ownership.is_our_chart(url, "", reading.settings) or not reading.settings.moves_chart:
        return
    revision = scalar_at(root, *base, "targetRevision")
    if revision is not None:
        role = "chart-digest" if revision.value.startswith("sha256:") else "chart-version"
        subject = reading.settings.chart_reference
        yield reading.place(document, revision, role, NAME, subject=subject)  # type: ignore[arg-type]


SHAPE = Shape(
    name=NAME,
    title="Native OCI source",
    about="The OCI address of the chart with a version or a digest. This needs Argo CD 3.1 or newer.",
    file="deploy/prod.yaml",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-prod
spec:
  source:
    repoURL: oci://ghcr.io/acme/charts/shop
    path: .
    targetRevision: 1.2.3
""",
    source_places=places,
)
