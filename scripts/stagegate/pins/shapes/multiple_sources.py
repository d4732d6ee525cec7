"""A values repository by `ref` beside the chart: it moves where it is ours and pinned by a release tag.

One that follows a branch, or belongs to others, stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins import ownership
from stagegate.pins.fields import scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

NAME = "multiple-sources"


def places(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """The revision of a `ref` source at `base`, where it is a tag of ours."""
    url = text_at(root, *base, "repoURL")
    if not text_at(root, *base, "ref") or text_at(root, *base, "chart"):
        return
    if not ownership.is_our_repository(url, reading.settings):
        return
    revision = scalar_at(root, *base, "targetRevision")
    if revision is None:
        return
    place = reading.place(document, revision, "git-revision", NAME)
    if not place.moving:
        yield place


SHAPE = Shape(
    name=NAME,
    title="Several sources, values by `ref`",
    about="If a `ref` source names the app's own repository at a release tag, a promotion changes this tag "
    "together "
    "with the chart's version. A branch is left as it is.",
    file="deploy/prod.yaml",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-prod
spec:
  sources:
    - repoURL: ghcr.io/acme/charts
      chart: shop
      targetRevision: 1.2.3
      helm:
        valueFiles: [$values/deploy/values/prod.yaml]
    - repoURL: https://github.com/acme/shop.git
      targetRevision: v1.2.3
      ref: values
""",
    source_places=places,
)
