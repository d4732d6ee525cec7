"""An Argo CD Application: chart and revision of its sources, and the Helm parameter of the image tag."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.pins import ownership
from stagegate.pins.fields import doubled, items_at, scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import sources
from stagegate.yaml_edit import Path
from stagegate.yaml_nodes import Node

NAME = "application"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """Everything that the sources of an Application pin."""
    if sources.is_kind(root, "Application"):
        yield from sources.in_spec(root, document, ("spec",), reading)


def in_source(root: Node, document: int, base: Path, reading: ShapeContext) -> Iterator[PinPlace]:
    """Chart revision and image tag parameter of the source at `base`, where it is our chart."""
    url, chart, path = (text_at(root, *base, key) for key in ("repoURL", "chart", "path"))
    if not ownership.is_our_source(url, chart, path, reading.settings):
        return
    if chart and reading.settings.moves_chart:
        revision = scalar_at(root, *base, "targetRevision")
        if revision is None:
            raise _no_revision(root, base, reading)
        yield reading.place(document, revision, "chart-version", NAME)
    wanted = ownership.image_tag_value(reading.settings)
    for index, item in enumerate(items_at(root, *base, "helm", "parameters")):
        if wanted and text_at(item, "name") == wanted:
            value = scalar_at(root, *base, "helm", "parameters", index, "value")
            if value is not None and value.value:
                yield reading.place(document, value, "image-tag", NAME)


def _no_revision(root: Node, base: Path, reading: ShapeContext) -> Stop:
    if stop := doubled(root, reading.file):
        return stop
    chart = yaml_edit.find(root, (*base, "chart"))
    return Stop(
        "ambiguous-pin",
        f"{reading.file} deploys the chart of {reading.settings.app} without a targetRevision.",
        "Without a targetRevision, Argo CD deploys the newest version of the chart.",
        "Write the version that runs in the environment now.",
        file=reading.file,
        line=chart.line if chart else None,
    )


SHAPE = Shape(
    name=NAME,
    title="Argo CD Application with a chart",
    about="The chart's version, and the Helm parameter that `chart.image-tag-value` names.",
    file="deploy/prod.yaml",
    example="""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-prod
spec:
  source:
    repoURL: ghcr.io/acme/charts
    chart: shop
    targetRevision: 1.2.3
    helm:
      parameters:
        - name: global.imageTag
          value: v1.2.3
""",
    order=10,
    places=places,
    source_places=in_source,
)
