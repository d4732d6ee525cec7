"""Which images of a rendering are ours: those of the settings, else those that follow the tag value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stagegate.chart.image_references import allowed, used
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import CheckFacts, Objects, Rendered
from stagegate.chart.walk import is_definition


class Mention(NamedTuple):
    """One place that names an image of ours; `rest` is its tag and digest with the sign in front."""

    object: RenderedObject
    path: str
    repository: str
    rest: str


def moved(rendered: Rendered, chart: CheckFacts) -> frozenset[str]:
    """Repositories of the images whose tag is the probe."""
    probe = chart.probes.get(chart.image_tag_value)
    if probe is None or rendered.probed is None:
        return frozenset()
    return frozenset(one.repository for one in used(rendered.probed) if one.tag == probe)


def repositories(rendered: Rendered, chart: CheckFacts) -> tuple[str, ...]:
    """Repositories of ours in this rendering, those that `allow-images` names left out.

    Without `images`, they are the images that follow the tag value and others of the same registry namespace.
    """
    if chart.images:
        ours: Iterator[str] = iter(chart.images)
    else:
        following = moved(rendered, chart)
        spaces = {one.rpartition("/")[0] for one in following if "/" in one}
        listed = dict.fromkeys(one.repository for one in used(rendered.objects or ()))
        ours = (one for one in listed if one in following or one.rpartition("/")[0] in spaces)
    return tuple(one for one in dict.fromkeys(ours) if not allowed(one, chart.checks.allow_images))


def mentions(objects: Objects, repository: str) -> Iterator[Mention]:
    """Every place in the objects that names the image, also in texts such as a manifest in a ConfigMap.

    The bare name of a repository counts only where it is the image to run.
    """
    expression = re.compile(rf"(?<![\w./-]){re.escape(repository)}(?P<rest>[:@][\w.@:+-]+)?(?![\w/-])")
    for one in objects:
        if is_definition(one):
            continue
        for path, text in one.texts:
            for match in expression.finditer(text):
                rest = match["rest"] or ""
                if rest or path.rpartition(".")[2] == "image":
                    yield Mention(one, path, repository, rest.rstrip(".:"))
