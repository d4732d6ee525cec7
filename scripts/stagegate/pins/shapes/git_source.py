"""Our chart as a folder in Git: the revision moves when it is a release tag or commit, a branch stays.

The image tag is then in a values file, which is a pin of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins import ownership
from stagegate.pins.fields import scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

NAME = "git-source"


def places(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """The revision of the Git source at `base`, where it shows our chart and names a release."""
    url, path = text_at(root, *base, "repoURL"), text_at(root, *base, "path")
    if text_at(root, *base, "chart") or url.startswith("oci://"):
        return
    if not ownership.is_our_chart_folder(url, path, reading.settings):
        return
    revision = scalar_at(root, *base, "targetRevision")
    if revision is None:
        return
    place = reading.place(document, revision, "git-revision", NAME)
    if not place.moving or "*" in place.value:
        yield place


SHAPE = Shape(
    name=NAME,
    title="Chart as a folder in Git",
    about="A release tag or a commit as `targetRevision`. The image tag is in a values file, so list the "
    "values file as a pin too.",
    file="deploy/prod.yaml",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-prod
spec:
  source:
    repoURL: https://github.com/acme/shop.git
    path: charts/shop
    targetRevision: v1.2.3
""",
    source_places=places,
)
