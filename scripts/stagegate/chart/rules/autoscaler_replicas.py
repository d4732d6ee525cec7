"""autoscaler-replicas: a workload with an autoscaler does not set its own replicas."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding
from stagegate.chart.walk import at, mapping
from stagegate.model import Finding

_KINDS = ("HorizontalPodAutoscaler", "ScaledObject")
_WHY = "Argo CD sets the number of replicas at every sync, and the autoscaler then changes it back."
_FIX = "Leave `replicas` out of the template if the autoscaler is rendered."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Targets of autoscalers that have spec.replicas."""
    release_namespace = rendered.namespace
    objects = rendered.objects or ()
    for scaler in objects:
        target = mapping(at(scaler.body, "spec", "scaleTargetRef")) if scaler.kind in _KINDS else {}
        for resource in objects:
            is_target = (resource.kind, resource.name) == (
                target.get("kind") or "Deployment",
                target.get("name"),
            )
            near = (resource.namespace or release_namespace) == (scaler.namespace or release_namespace)
            if is_target and near and at(resource.body, "spec", "replicas") is not None:
                yield finding(
                    "autoscaler-replicas",
                    resource,
                    rendered,
                    chart,
                    severity="warning",
                    message=f"{resource.label} sets `replicas`, although {scaler.label} scales this workload.",
                    why=_WHY,
                    fix=_FIX,
                )


_SCALED = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: more}
spec: {maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: more}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: more}
spec:
  %s
  selector: {matchLabels: {app: more}}
  template: {metadata: {labels: {app: more}}, spec: {containers: [{name: more, image: "busybox:1.36"}]}}
"""

RULE = ChartRule(
    id="autoscaler-replicas",
    severity="warning",
    about="A workload with an autoscaler does not set its own replicas",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _SCALED % "replicas: 2"}),
    good=Twin(files={"templates/more.yaml": _SCALED % "revisionHistoryLimit: 2"}),
)
