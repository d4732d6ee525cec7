"""namespace: objects stay in the release's namespace unless a value says otherwise."""

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
    "The object is outside the release's namespace: environments would share it, and other objects of the "
    "release cannot use it."
)
_FIX = "Remove metadata.namespace, or write {{ .Release.Namespace }} or a value."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Namespaces that are written out in a template; those of values, and the cluster's own, are accepted."""
    made = {one.name for one in rendered.objects or () if one.kind == "Namespace"}
    groups: dict[str, list[RenderedObject]] = defaultdict(list)
    for one in rendered.objects or ():
        other = one.namespace not in ("", rendered.namespace, *_SYSTEM, *made)
        if other and not is_definition(one) and _written(one, chart):
            groups[one.namespace].append(one)
    for space, several in groups.items():
        yield finding(
            "namespace",
            several[0],
            rendered,
            chart,
            message=f"The namespace {space} is hard-coded in {shown([one.label for one in several])}.",
            why=_WHY,
            fix=_FIX,
        )


def _written(one: RenderedObject, chart: CheckFacts) -> bool:
    """Whether the template has the namespace as text."""
    line = re.compile(rf"namespace:\s*[\"']?{re.escape(one.namespace)}[\"']?\s*(?:[,}}#]|$)", re.MULTILINE)
    return line.search(chart.source(one.template)) is not None


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
