"""Plain Kubernetes objects: `image:` of ours in any kind, in every document of the file."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.pins.fields import text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields
from stagegate.yaml_nodes import Node

NAME = "objects"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The images of ours in an object."""
    if not (text_at(root, "apiVersion") and text_at(root, "kind")):
        return
    fields = image_fields.in_objects(root, reading.settings)
    yield from image_fields.placed(root, (), fields, document, reading, NAME)


SHAPE = Shape(
    name=NAME,
    title="Plain Kubernetes objects",
    about="Images of the app in objects of any kind, also in a `List` and in custom resources.",
    file="deploy/prod.yaml",
    example="""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    spec:
      containers:
        - name: main
          image: ghcr.io/acme/shop:v1.2.3
""",
    order=80,
    places=places,
)
