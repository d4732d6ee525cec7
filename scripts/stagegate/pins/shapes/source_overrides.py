"""`.argocd-source.yaml` and `.argocd-source-<app>.yaml`: overrides of a source, in files beside the manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from stagegate.errors import Stop
from stagegate.pins import ownership
from stagegate.pins.fields import items_at, scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import kustomize
from stagegate.yaml_nodes import Node

NAME = "source-overrides"
_FILE = re.compile(r"\.argocd-source(?:-(?P<application>.+))?\.yaml")


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The Helm parameter of the image tag, and Kustomize images."""
    named = _FILE.fullmatch(PurePosixPath(reading.file).name)
    if named is None:
        return
    wanted = reading.environment.argo.application_names if reading.environment else ()
    if named["application"] and wanted and named["application"] not in wanted:
        raise Stop(
            "ambiguous-pin",
            f"The file {reading.file} overrides the Application {named['application']}.",
            "But the Applications of the environment "
            f"{reading.environment.name if reading.environment else ''} are {', '.join(wanted)}.",
            "Name the right file in `pins`, or correct the Application in argocd.applications.",
            file=reading.file,
            line=1,
        )
    value_of_tag = ownership.image_tag_value(reading.settings)
    for index, item in enumerate(items_at(root, "helm", "parameters")):
        if value_of_tag and text_at(item, "name") == value_of_tag:
            value = scalar_at(root, "helm", "parameters", index, "value")
            if value is not None:
                yield reading.place(document, value, "image-tag", NAME)
    yield from kustomize.in_source(root, document, (), reading)


SHAPE = Shape(
    name=NAME,
    title="Source overrides of Argo CD",
    about="Helm parameters and Kustomize images in `.argocd-source-<application>.yaml`.",
    file="deploy/.argocd-source-shop-prod.yaml",
    example="""\
helm:
  parameters:
    - name: global.imageTag
      value: v1.2.3
      forcestring: true
""",
    order=20,
    places=places,
)
