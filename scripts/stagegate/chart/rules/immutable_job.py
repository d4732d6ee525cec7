"""immutable-job: a Job whose name stays the same does not change with the release."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.first_party import mentions, repositories
from stagegate.chart.objects import RenderedObject, leaves
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding
from stagegate.chart.walk import at, is_hook, is_replaced
from stagegate.model import Finding

_WHY = "`spec.template` of a Job is immutable, so Argo CD cannot sync the next release."
_FIX = (
    "Make the Job a hook (argocd.argoproj.io/hook, deleted BeforeHookCreation), or put the version "
    "into the name of the Job."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Jobs, except hooks, that keep their name although their pod changes with the release."""
    for resource in rendered.objects or ():
        if resource.kind != "Job" or is_hook(resource) or is_replaced(resource):
            continue
        places = _changes(resource, rendered, chart)
        if places:
            yield finding(
                "immutable-job",
                resource,
                rendered,
                chart,
                message=f"{resource.label} keeps its name, but {places} changes with each release.",
                why=_WHY,
                fix=_FIX,
            )


def _changes(resource: RenderedObject, rendered: Rendered, chart: CheckFacts) -> str:
    """A path in the pod that changes with the release; empty if none is known."""
    if rendered.probed is not None:
        probed = next((o for o in rendered.probed if o.key == resource.key), None)
        if probed is not None and _template(resource) != _template(probed):
            before, after = (
                dict(leaves(_template(resource), "spec.template")),
                dict(leaves(_template(probed), "spec.template")),
            )
            return next((path for path in after if before.get(path) != after[path]), "spec.template")
        return ""
    for repository in repositories(rendered, chart) if chart.images else ():
        for mention in mentions((resource,), repository):
            return mention.path
    moving = {tag for tag in chart.release_tags if tag}
    for path, text in leaves(_template(resource), "spec.template"):
        if (
            path.endswith(".image")
            and text.rpartition(":")[2] in moving
            and not chart.image_tag_value
            and chart.images
        ):
            return path
    return ""


def _template(resource: RenderedObject) -> object:
    return at(resource.body, "spec", "template")


_JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: migrate%s}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: m, image: "ghcr.io/acme/kiosk:{{ .Values.global.imageTag }}"}]
"""

RULE = ChartRule(
    id="immutable-job",
    severity="error",
    about="A Job with a fixed name does not change with the release",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _JOB % ""}),
    good=Twin(files={"templates/more.yaml": _JOB % '-{{ .Values.global.imageTag | replace "." "-" }}'}),
)
