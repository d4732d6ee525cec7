"""helmfile: the version of our chart in `releases`, and image fields of their inline values."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins import ownership
from stagegate.pins.fields import items_at, scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import MappingNode, Node

NAME = "helmfile"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The releases of a helmfile whose chart is ours."""
    if text_at(root, "kind") or not items_at(root, "releases"):
        return
    repositories = {text_at(item, "name"): text_at(item, "url") for item in items_at(root, "repositories")}
    for index, release in enumerate(items_at(root, "releases")):
        chart = text_at(release, "chart")
        alias, _, name = chart.partition("/")
        whole = chart if chart.startswith("oci://") else f"{repositories.get(alias, '')}/{name}"
        if not chart or not ownership.is_our_chart(whole, "", reading.settings):
            continue
        version = scalar_at(root, "releases", index, "version")
        if version and reading.settings.moves_chart:
            yield reading.place(document, version, "chart-version", NAME)
        for number, values in enumerate(items_at(release, "values")):
            if not isinstance(values, MappingNode):
                continue
            base: Path = ("releases", index, "values", number)
            fields = image_fields.fields(values, reading.settings, ours=True)
            yield from image_fields.placed(root, base, fields, document, reading, NAME)


SHAPE = Shape(
    name=NAME,
    title="helmfile",
    about="The version of the app's chart among the releases, and the image tags in the inline values of "
    "the releases.",
    file="helmfile.yaml",
    example="""\
repositories:
  - {name: acme, url: ghcr.io/acme/charts, oci: true}
releases:
  - name: shop
    chart: acme/shop
    version: 1.2.3
""",
    order=45,
    places=places,
)
