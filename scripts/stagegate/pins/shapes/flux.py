"""Flux: chart version and values of a HelmRelease, the revision of an OCIRepository with our chart or of a
GitRepository that is ours, and images of a Kustomization."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.pins import ownership
from stagegate.pins.fields import scalar_at, text_at
from stagegate.pins.place import PinPlace, ShapeContext
from stagegate.pins.shape import Shape
from stagegate.pins.shapes import image_fields, kustomize
from stagegate.yaml_nodes import Node

NAME = "flux"


def places(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The places of a HelmRelease, OCIRepository, GitRepository or Kustomization of Flux."""
    kind, version = text_at(root, "kind"), text_at(root, "apiVersion")
    if kind == "HelmRelease" and version.startswith("helm.toolkit.fluxcd.io/"):
        yield from _helm_release(root, document, reading)
    elif kind == "OCIRepository" and version.startswith("source.toolkit.fluxcd.io/"):
        yield from _oci_repository(root, document, reading)
    elif kind == "GitRepository" and version.startswith("source.toolkit.fluxcd.io/"):
        yield from _git_repository(root, document, reading)
    elif kind == "Kustomization" and version.startswith("kustomize.toolkit.fluxcd.io/"):
        yield from kustomize.in_images(root, document, ("spec", "images"), reading, NAME)


def _git_repository(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The tag or commit of a GitRepository that is the app's; a branch stays."""
    if not ownership.is_our_repository(text_at(root, "spec", "url"), reading.settings):
        return
    for key in ("tag", "commit", "name"):
        if scalar := scalar_at(root, "spec", "ref", key):
            place = reading.place(document, scalar, "git-revision", NAME)
            if not place.moving:
                yield place


def _helm_release(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    """The chart's version where the chart has our chart's name, and image fields of the values."""
    settings = reading.settings
    chart = text_at(root, "spec", "chart", "spec", "chart")
    ours = bool(chart) and chart == ownership.chart_name(settings)
    version = scalar_at(root, "spec", "chart", "spec", "version")
    if ours and version and settings.moves_chart:
        yield reading.place(document, version, "chart-version", NAME)
    referenced = text_at(root, "spec", "chartRef", "name") in (settings.app, ownership.chart_name(settings))
    values = yaml_edit.resolve(root, ("spec", "values"))
    if values is None:
        return
    fields = image_fields.fields(values[1], settings, ours=ours or referenced, aliases=reading.aliases)
    yield from image_fields.placed(root, values[0], fields, document, reading, NAME)


def _oci_repository(root: Node, document: int, reading: ShapeContext) -> Iterator[PinPlace]:
    settings = reading.settings
    if not ownership.is_our_chart(text_at(root, "spec", "url"), "", settings) or not settings.moves_chart:
        return
    for key in ("tag", "semver"):
        if scalar := scalar_at(root, "spec", "ref", key):
            yield reading.place(document, scalar, "chart-version", NAME)
    if digest := scalar_at(root, "spec", "ref", "digest"):
        yield reading.place(document, digest, "chart-digest", NAME, subject=settings.chart_reference)


SHAPE = Shape(
    name=NAME,
    title="Flux",
    about=(
        "The version of a chart that has the name of the app's chart, image tags in the values of "
        "a HelmRelease, the tag of an OCIRepository of the app's chart, the tag or commit of a "
        "GitRepository of the app, and `images` of a Kustomization."
    ),
    file="clusters/prod/shop.yaml",
    example="""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: shop
spec:
  chart:
    spec:
      chart: shop
      version: 1.2.3
      sourceRef: {kind: HelmRepository, name: acme}
  values:
    image:
      repository: ghcr.io/acme/shop
      tag: v1.2.3
""",
    order=15,
    places=places,
)
