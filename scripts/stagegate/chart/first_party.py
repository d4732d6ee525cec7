"""Finds our own images in a rendering: those of the settings, else those that follow the tag value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stagegate.chart.image_references import allowed, used
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import CheckFacts, Objects, Rendered
from stagegate.chart.walk import is_definition


class Mention(NamedTuple):
    """One place with an image of ours. `suffix` is its tag and digest, such as `:v1.2.3`."""

    object: RenderedObject
    path: str
    repository: str
    suffix: str


def moved(rendered: Rendered, chart: CheckFacts) -> frozenset[str]:
    """Repositories of the images whose tag is the probe, so that they follow the tag value."""
    probe = chart.probes.get(chart.image_tag_value)
    if probe is None or rendered.probed is None:
        return frozenset()
    return frozenset(image.repository for image in used(rendered.probed) if image.tag == probe)


def repositories(rendered: Rendered, chart: CheckFacts) -> tuple[str, ...]:
    """The repositories of our images in this rendering, without those in `allow-images`.

    If the settings have no `images`, these are the images that follow the tag value, and other images in the same
    registry namespace.
    """
    if chart.images:
        names: Iterator[str] = iter(chart.images)
    else:
        following = moved(rendered, chart)
        spaces = {repository.rpartition("/")[0] for repository in following if "/" in repository}
        listed = dict.fromkeys(image.repository for image in used(rendered.objects or ()))
        names = (
            repository
            for repository in listed
            if repository in following or repository.rpartition("/")[0] in spaces
        )
    return tuple(
        repository
        for repository in dict.fromkeys(names)
        if not allowed(repository, chart.checks.allow_images)
    )


def mentions(objects: Objects, repository: str) -> Iterator[Mention]:
    """Every place in the objects that contains the image, including texts such as a manifest in a ConfigMap.

    A repository without tag or digest counts only in a field `image`.
    """
    expression = re.compile(rf"(?<![\w./-]){re.escape(repository)}(?P<rest>[:@][\w.@:+-]+)?(?![\w/-])")
    for resource in objects:
        if is_definition(resource):
            continue
        for path, text in resource.texts:
            for match in expression.finditer(text):
                suffix = match["rest"] or ""
                if suffix or path.rpartition(".")[2] == "image":
                    yield Mention(resource, path, repository, suffix.rstrip(".:"))
