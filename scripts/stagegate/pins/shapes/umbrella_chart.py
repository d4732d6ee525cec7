"""An umbrella chart that depends on ours: `dependencies[].version` in its Chart.yaml, and its Chart.lock."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins import ownership
from stagegate.pins.fields import items_at, scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.settings import Settings
from stagegate.yaml_nodes import Node

NAME = "umbrella-chart"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The version of our chart among the dependencies of a Chart.yaml."""
    if text_at(root, "kind") or not reading.settings.moves_chart:
        return
    for index, item in enumerate(items_at(root, "dependencies")):
        if ownership.is_our_chart(text_at(item, "repository"), text_at(item, "name"), reading.settings):
            version = scalar_at(root, "dependencies", index, "version")
            if version is not None:
                yield reading.place(document, version, "chart-version", NAME)


def aliases(root: Node, settings: Settings) -> Iterator[str]:
    """Keys below which an umbrella chart has the values of our chart: its alias, else its name."""
    for item in items_at(root, "dependencies"):
        if ownership.is_our_chart(text_at(item, "repository"), text_at(item, "name"), settings):
            yield text_at(item, "alias") or text_at(item, "name")


SHAPE = Shape(
    name=NAME,
    title="Umbrella chart",
    about="The version of the app's chart among the dependencies. If there is a Chart.lock beside the "
    "Chart.yaml, a promotion also updates its version and digest.",
    file="deploy/prod/Chart.yaml",
    example="""\
apiVersion: v2
name: shop-prod
version: 0.1.0
dependencies:
  - name: shop
    repository: oci://ghcr.io/acme/charts
    version: 1.2.3
""",
    order=40,
    places=places,
)
