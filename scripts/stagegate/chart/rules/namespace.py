"""namespace: objects are in the release's namespace unless a value sets another one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding, shown
from stagegate.chart.walk import is_definition
from stagegate.model import Finding

_SYSTEM = ("kube-system", "kube-public", "kube-node-lease")
_WHY = (
    "The object is outside the namespace of the release, so several environments would share the "
    "object, and other objects of the release cannot use it."
)
_FIX = "Remove metadata.namespace, or use {{ .Release.Namespace }} or a value of the chart."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Namespaces as literals in a template. Those from values, and those of the cluster itself, are accepted."""
    rendered_namespaces = {
        resource.name for resource in rendered.objects or () if resource.kind == "Namespace"
    }
    groups: dict[str, list[RenderedObject]] = defaultdict(list)
    for resource in rendered.objects or ():
        is_foreign = resource.namespace not in ("", rendered.namespace, *_SYSTEM, *rendered_namespaces)
        if is_foreign and not is_definition(resource) and _written(resource, chart):
            groups[resource.namespace].append(resource)
    for space, several in groups.items():
        yield finding(
            "namespace",
            several[0],
            rendered,
            chart,
            message=f"The namespace {space} is hard-coded in {shown([resource.label for resource in several])}.",
            why=_WHY,
            fix=_FIX,
        )


def _written(resource: RenderedObject, chart: CheckFacts) -> bool:
    """Whether the template has the namespace as text."""
    line = re.compile(
        rf"namespace:\s*[\"']?{re.escape(resource.namespace)}[\"']?\s*(?:[,}}#]|$)", re.MULTILINE
    )
    return line.search(chart.source(resource.template)) is not None


_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more, namespace: %s}\n"

RULE = ChartRule(
    id="namespace",
    severity="error",
    about="Objects stay in the namespace of the release",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _MAP % "kiosk-dev"}),
    good=Twin(files={"templates/more.yaml": _MAP % '"{{ .Release.Namespace }}"'}),
)
