"""immutable-job: a Job whose name stays the same does not change with the release."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.first_party import mentions, repositories
from stagegate.chart.objects import RenderedObject, leaves
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding
from stagegate.chart.walk import at, is_hook, is_replaced
from stagegate.model import Finding

_WHY = "spec.template of a Job is immutable, so the next release cannot be synced."
_FIX = (
    "Make it a hook (argocd.argoproj.io/hook, deleted BeforeHookCreation), or put the version into its name."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Jobs that are no hooks, with one name and another pod under the probe; without one, with our image."""
    for one in rendered.objects or ():
        if one.kind != "Job" or is_hook(one) or is_replaced(one):
            continue
        places = _changes(one, rendered, chart)
        if places:
            yield finding(
                "immutable-job",
                one,
                rendered,
                chart,
                message=f"{one.label} keeps its name, and {places} changes with the release.",
                why=_WHY,
                fix=_FIX,
            )


def _changes(one: RenderedObject, rendered: Rendered, chart: CheckFacts) -> str:
    """A place in the pod that is another one in the next release; empty where none is known."""
    if rendered.probed is not None:
        other = next((o for o in rendered.probed if o.key == one.key), None)
        if other is not None and _template(one) != _template(other):
            before, after = (
                dict(leaves(_template(one), "spec.template")),
                dict(leaves(_template(other), "spec.template")),
            )
            return next((path for path in after if before.get(path) != after[path]), "spec.template")
        return ""
    for repository in repositories(rendered, chart) if chart.images else ():
        for mention in mentions((one,), repository):
            return mention.path
    moving = {tag for tag in chart.release_tags if tag}
    for path, text in leaves(_template(one), "spec.template"):
        if (
            path.endswith(".image")
            and text.rpartition(":")[2] in moving
            and not chart.image_tag_value
            and chart.images
        ):
            return path
    return ""


def _template(one: RenderedObject) -> object:
    return at(one.body, "spec", "template")


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
