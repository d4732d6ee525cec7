"""image-follows-tag: the app's images take their tag from the value that a release sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.first_party import Mention, mentions, moved, repositories
from stagegate.chart.rule import ChartRule, CheckFacts, Objects, Rendered, Twin, finding, shown
from stagegate.model import Finding, Severity

_WHY = (
    "A release sets only this one value. If the tag of an image does not come from this value, the old "
    "software keeps running."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """A finding for each image of the app that does not get the probe as its tag."""
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
                f"Make values.schema.json and the templates accept any text for {value}.",
            )
        return
    own_repositories = repositories(rendered, chart)
    following = moved(rendered, chart)
    mentioned = {repository: list(mentions(rendered.probed, repository)) for repository in own_repositories}
    if not following and not chart.images:
        why, fix = (
            f"the value {value} changes no image.",
            "Correct chart.image-tag-value, or use it in the templates.",
        )
        yield _untried(rendered, chart, why, fix)
    elif own_repositories and not any(mentioned.values()):
        yield _untried(
            rendered, chart, f"no rendered object contains the image {', '.join(own_repositories)}.", _CORRECT
        )
        return
    for repository, places in mentioned.items():
        if not places:
            yield _untried(
                rendered,
                chart,
                f"no rendered object contains the image {repository}.",
                _CORRECT,
                severity="note",
            )
        yield from _wrong(places, probe, rendered, chart, value)


_CORRECT = "Correct `images`, or the registry in the values."


def _wrong(
    places: list[Mention], probe: str, rendered: Rendered, chart: CheckFacts, value: str
) -> Iterator[Finding]:
    groups: dict[str, list[Mention]] = defaultdict(list)
    for mention in places:
        if mention.suffix != f":{probe}":
            groups[mention.suffix].append(mention)
    for suffix, several in groups.items():
        first = several[0]
        listed = shown([f"{mention.object.label} at {mention.path}" for mention in several])
        yield finding(
            "image-follows-tag",
            first.object,
            rendered,
            chart,
            message=f"The tag of {first.repository}{suffix} does not come from {value}: {listed}.",
            why=_WHY,
            fix=f"Write the tag as {{{{ .Values.{value} }}}} (with tpl in files), or list the image "
            "under chart.checks.allow-images.",
        )


def _other_form(objects: Objects, rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """A tag with this version in another form than image-tags writes, so that no such image exists.

    It is only a note in a rendering with the chart's own values that no environment uses.
    """
    for repository in repositories(rendered, chart):
        for mention in mentions(objects, repository):
            tag = mention.suffix.removeprefix(":").partition("@")[0]
            start = tag.removesuffix(chart.version)
            if start != tag and start[-1:] in ("", "v", "-", "_") and tag not in chart.image_tags:
                yield finding(
                    "image-follows-tag",
                    mention.object,
                    rendered,
                    chart,
                    severity="note" if rendered.secondary else "error",
                    message=f"The tag of {repository}{mention.suffix} at {mention.path} does not have the "
                    f"form of {chart.image_tags[0]}, the tag that image-tags writes.",
                    why="The cluster would pull a tag that does not exist.",
                    fix=f"Make the chart use {chart.image_tags[0]}, or write `image-tag: "
                    f'"{start}{{version}}"` '
                    "into stagegate.yaml.",
                )
                break


def _without_value(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Without a tag value, an image of ours must have the tag of this version, as with .Chart.AppVersion."""
    for repository in repositories(rendered, chart) if chart.images else ():
        for mention in mentions(rendered.objects or (), repository):
            tag = mention.suffix.removeprefix(":").partition("@")[0]
            if tag not in chart.image_tags:
                yield finding(
                    "image-follows-tag",
                    mention.object,
                    rendered,
                    chart,
                    message=f"{repository}{mention.suffix} at {mention.path} does not have the tag of "
                    f"{chart.version}, "
                    f"which is {' or '.join(chart.image_tags)}.",
                    why=_WHY,
                    fix="Set chart.image-tag-value to the value that contains the tag, or use "
                    ".Chart.AppVersion and write its form as `image-tag` into stagegate.yaml.",
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
        message=f"chart-check could not check whether the tags of the app's images come from the release: {why}",
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
    about="The tags of the app's images come from the value that a release sets",
    why=_WHY,
    fix="Take the tag from chart.image-tag-value everywhere.",
    check=check,
    bad=Twin(files={"templates/more.yaml": _JOB % "v1.3.0"}),
    good=Twin(files={"templates/more.yaml": _JOB % "{{ .Values.global.imageTag }}"}),
)
