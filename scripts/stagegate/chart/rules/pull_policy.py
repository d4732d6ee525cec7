"""pull-policy: a tag that moves is pulled each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.first_party import repositories
from stagegate.chart.image_references import MOVING, allowed, parts
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding, shown
from stagegate.chart.walk import containers, is_definition, is_test, pod_specs
from stagegate.model import Finding

_WHY = "A node with an older image of this tag keeps using it, so two pods of one release may differ."
_FIX = "Use the tag of a version, or set imagePullPolicy: Always."
_KEPT = ("IfNotPresent", "Never")


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Containers with a moving tag that is not pulled each time; an error for the app's own images."""
    own_repositories = repositories(rendered, chart)
    groups: dict[tuple[str, str], list[RenderedObject]] = defaultdict(list)
    for resource in rendered.objects or ():
        if is_test(resource) or is_definition(resource):
            continue
        for pod in pod_specs(resource.body):
            for container in containers(pod):
                image, policy = container.get("image"), container.get("imagePullPolicy")
                if isinstance(image, str) and policy in _KEPT:
                    repository, tag, digest = parts(image)
                    moves = tag.lower() in MOVING or tag in ("", "latest")
                    if moves and not digest and not allowed(repository, chart.checks.allow_images):
                        groups[image, str(policy)].append(resource)
    for (image, policy), several in groups.items():
        labels = list(dict.fromkeys(resource.label for resource in several))
        yield finding(
            "pull-policy",
            several[0],
            rendered,
            chart,
            severity="error" if parts(image)[0] in own_repositories else "warning",
            message=f"The tag of {image} can change, but imagePullPolicy is {policy}: {shown(labels)}.",
            why=_WHY,
            fix=_FIX,
        )


_POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: more}\n"
    "spec: {containers: [{name: more, image: 'ghcr.io/acme/kiosk:main', imagePullPolicy: %s}]}\n"
)

RULE = ChartRule(
    id="pull-policy",
    severity="error",
    about="An image with a tag that can change is pulled each time",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _POD % "IfNotPresent"}),
    good=Twin(files={"templates/more.yaml": _POD % "Always"}),
)
