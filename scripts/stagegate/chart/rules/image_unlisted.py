"""image-unlisted: an image that follows the release is one of `images`, so that its digest is proven."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.first_party import moved
from stagegate.chart.image_references import allowed, used
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding
from stagegate.model import Finding

_WHY = (
    "A release records only the digests of the images in `images`, so this image would be deployed "
    "without having been tested."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Images that follow the tag value and are not in `images`."""
    if not chart.images:
        return
    unlisted = {
        repository
        for repository in moved(rendered, chart) - set(chart.images)
        if not allowed(repository, chart.checks.allow_images)
    }
    for image in used(rendered.probed or ()):
        if image.repository in unlisted:
            unlisted.discard(image.repository)
            yield finding(
                "image-unlisted",
                image.object,
                rendered,
                chart,
                message=f"The tag of {image.repository} comes from {chart.image_tag_value}, but `images` "
                "does not list this image.",
                why=_WHY,
                fix=f"Add `- {image.repository}` under images in stagegate.yaml.",
            )


_POD = """\
apiVersion: v1
kind: Pod
metadata: {name: more}
spec: {containers: [{name: more, image: "ghcr.io/acme/%s:{{ .Values.global.imageTag }}"}]}
"""

RULE = ChartRule(
    id="image-unlisted",
    severity="error",
    about="Every image whose tag changes with the release is listed in `images`",
    why=_WHY,
    fix="Add the repository under images in stagegate.yaml.",
    check=check,
    bad=Twin(files={"templates/more.yaml": _POD % "worker"}),
    good=Twin(files={"templates/more.yaml": _POD % "kiosk"}),
)
