"""How pins spell a release. Another spelling of the same version is another artifact: `v1.0.0` and `1.0.0` are two
tags of a registry, and people with write access to packages decide what each of them leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from stagegate.clients import registry
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.model import Image, Release
from stagegate.pins import ownership, pinned_version, templates
from stagegate.settings import Environment, Settings

Files = Mapping[str, bytes | None]


class Spelled(msgspec.Struct, frozen=True, kw_only=True):
    """One text that names a release: which artifact it is about (`subject`, empty for all), and the text."""

    role: str
    subject: str
    text: str


def of(environment: Environment, files: Files, settings: Settings) -> frozenset[Spelled]:
    """Every text by which an environment's pins name their release; none where they cannot be read."""
    try:
        return frozenset(
            Spelled(role=place.role, subject=place.subject, text=place.value)
            for pin in environment.pins
            for place in pinned_version.read(pin, files, settings, environment).places
        )
    except Stop:
        return frozenset()  # why it cannot be read is said where the version is read


def trouble(
    connections: Connections,
    environment: Environment,
    settings: Settings,
    release: Release,
    files: tuple[Files, Files],
) -> str:
    """A sentence about a text of the pins that leads to another artifact than the release's, or nothing (I3).

    `files` are those before and after the change: a variant of an image (`-alpine`), which no record has a digest
    of, may stay and may not come. Stop when a registry does not answer.
    """
    before, after = (of(environment, one, settings) for one in files)
    variants = {templates.split_flavour(_tag(one.text))[1] for one in before}
    for one in sorted(after, key=lambda spelled: (spelled.role, spelled.subject, spelled.text)):
        if one.role == "chart-version" and (problem := _of_chart(connections, release, one.text)):
            return problem
        if one.role != "image-tag":
            continue
        bare = _tag(one.text)
        variant = templates.split_flavour(bare)[1]
        if variant and variant not in variants:
            return f"the pins name {bare}, but no release record has the digest of the variant {variant}"
        if not variant and (problem := _of_images(connections, settings, release, one.subject, bare)):
            return problem
    return ""


def _tag(text: str) -> str:
    """The tag in a text: of a whole reference such as `ghcr.io/acme/shop:v1.2.3` the part behind its name."""
    bare = text.partition("@")[0]
    return bare.rpartition(":")[2] if "/" in bare else bare


def _of_chart(connections: Connections, release: Release, text: str) -> str:
    """What a chart's version leads to where it is not written as it was published."""
    chart = release.chart
    if chart is None or not chart.reference.startswith("oci://"):
        return ""
    tag = registry.chart_tag(text)
    if tag == registry.chart_tag(chart.version):
        return ""
    digest = connections.registry.digest(registry.parse(chart.reference.removeprefix("oci://")).tagged(tag))
    if digest == chart.digest:
        return ""
    existing = digest or "not in the registry"
    return f"the pins name the chart {text} ({existing}), but the release has the digest {chart.digest}"


def _of_images(connections: Connections, settings: Settings, release: Release, subject: str, tag: str) -> str:
    """What an image tag leads to: for the image it is about, or for every image of the release."""
    images = list(_images(settings, release, subject))
    digests = {
        image.reference: connections.registry.digest(registry.parse(image.reference).tagged(tag))
        for image in images
    }
    for image in images:
        digest = digests[image.reference]
        if digest != image.digest and (digest or not any(digests.values())):
            existing = f"is {digest}" if digest else "is not in the registry"
            return (
                f"the pins name {image.reference}:{tag}, which {existing}, but the release has {image.digest}"
            )
    return ""


def _images(settings: Settings, release: Release, subject: str) -> Iterator[Image]:
    wanted = ownership.our_image(subject, settings)
    for image in release.images:
        if image.reference in settings.images and (not subject or image.reference == wanted):
            yield image
