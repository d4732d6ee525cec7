"""image-follows-tag: images of ours take their tag from the value that a release sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.first_party import Mention, mentions, moved, repositories
from stagegate.chart.rule import ChartRule, CheckFacts, Objects, Rendered, Twin, finding, shown
from stagegate.model import Finding, Severity

_WHY = "A release sets this one value. An image that does not follow it keeps running the old software."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Images of ours anywhere in a rendering whose tag value is the probe, one finding for each image."""
    if rendered.objects is None or chart.library:
        return
    if chart.image_tag_value:
        yield from _other_form(rendered.objects, rendered, chart)
    if rendered.secondary:
        return
    if not chart.image_tag_value:
        yield from _without_value(rendered, chart)
        return
    value, probe = chart.image_tag_value, chart.probes[chart.image_tag_value]
    if rendered.probed is None:
        if rendered.unprobed is not None:
            yield _untried(
                rendered,
                chart,
                f"with {value}={probe} the chart does not render. {rendered.unprobed.why}",
                f"Let values.schema.json and the templates accept any text for {value}.",
            )
        return
    ours = repositories(rendered, chart)
    following = moved(rendered, chart)
    mentioned = {one: list(mentions(rendered.probed, one)) for one in ours}
    if not following and not chart.images:
        why, fix = (
            f"the value {value} changes no image.",
            "Correct chart.image-tag-value, or use it in the templates.",
        )
        yield _untried(rendered, chart, why, fix)
    elif ours and not any(mentioned.values()):
        yield _untried(rendered, chart, f"no object has the image {', '.join(ours)}.", _CORRECT)
        return
    for repository, places in mentioned.items():
        if not places:
            yield _untried(
                rendered, chart, f"no object has the image {repository}.", _CORRECT, severity="note"
            )
        yield from _wrong(places, probe, rendered, chart, value)


_CORRECT = "Correct `images`, or the registry in the values."


def _wrong(
    places: list[Mention], probe: str, rendered: Rendered, chart: CheckFacts, value: str
) -> Iterator[Finding]:
    groups: dict[str, list[Mention]] = defaultdict(list)
    for one in places:
        if one.rest != f":{probe}":
            groups[one.rest].append(one)
    for rest, several in groups.items():
        first = several[0]
        listed = shown([f"{one.object.label} at {one.path}" for one in several])
        yield finding(
            "image-follows-tag",
            first.object,
            rendered,
            chart,
            message=f"{first.repository}{rest} does not follow {value}: {listed}.",
            why=_WHY,
            fix=f"Make its tag {{{{ .Values.{value} }}}} (with tpl in files), or list the image under"
            " chart.checks.allow-images.",
        )


def _other_form(objects: Objects, rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """A tag that is this version in another form than image-tags writes: no image has it.

    Where nobody installs the chart's own values as they are, it is only a note.
    """
    for repository in repositories(rendered, chart):
        for one in mentions(objects, repository):
            tag = one.rest.removeprefix(":").partition("@")[0]
            start = tag.removesuffix(chart.version)
            if start != tag and start[-1:] in ("", "v", "-", "_") and tag not in chart.image_tags:
                yield finding(
                    "image-follows-tag",
                    one.object,
                    rendered,
                    chart,
                    severity="note" if rendered.secondary else "error",
                    message=f"{repository}{one.rest} at {one.path} has another form than {chart.image_tags[0]}, "
                    "the tag that image-tags writes.",
                    why="The cluster would pull a tag that does not exist.",
                    fix=f"Let the chart ask for {chart.image_tags[0]}, or write `image-tag: "
                    f'"{start}{{version}}"` '
                    "into stagegate.yaml.",
                )
                break


def _without_value(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Without a tag value, an image of ours must have the tag of this version, as with .Chart.AppVersion."""
    for repository in repositories(rendered, chart) if chart.images else ():
        for one in mentions(rendered.objects or (), repository):
            tag = one.rest.removeprefix(":").partition("@")[0]
            if tag not in chart.image_tags:
                yield finding(
                    "image-follows-tag",
                    one.object,
                    rendered,
                    chart,
                    message=f"{repository}{one.rest} at {one.path} has not the tag of {chart.version}, "
                    f"which is {' or '.join(chart.image_tags)}.",
                    why=_WHY,
                    fix="Name the value that holds the tag in chart.image-tag-value, or use .Chart.AppVersion "
                    "and set `image-tag` in stagegate.yaml to its form.",
                )


def _untried(
    rendered: Rendered, chart: CheckFacts, why: str, fix: str, severity: Severity = "error"
) -> Finding:
    """Report checks that could not run, because silence would look like a pass."""
    return Finding(
        rule="image-follows-tag",
        severity=severity,
        environment=rendered.environment,
        file=f"{chart.path}/values.yaml",
        message=f"Whether our images follow the release cannot be tried: {why}",
        why=_WHY,
        fix=fix,
    )


_JOB = """\
apiVersion: v1
kind: Pod
metadata: {name: more}
spec: {containers: [{name: more, image: "ghcr.io/acme/kiosk:%s"}]}
"""

RULE = ChartRule(
    id="image-follows-tag",
    severity="error",
    about="Images of the app follow the tag that a release sets",
    why=_WHY,
    fix="Take the tag from chart.image-tag-value everywhere.",
    check=check,
    bad=Twin(files={"templates/more.yaml": _JOB % "v1.3.0"}),
    good=Twin(files={"templates/more.yaml": _JOB % "{{ .Values.global.imageTag }}"}),
)
