"""version-increases: a chart that changed has a higher version than the one it is compared with."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Twin
from stagegate.model import Finding
from stagegate.versions import Version

_WHY = "A published version never changes, so a changed chart with the same version cannot be published."
_FIX = "Run version-bump before the chart is published."


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """A warning for a changed chart without a higher version, compared with a readable base."""
    base = chart.base
    if base is None or not base.version or base.content == chart.content:
        return
    if Version.parse(chart.version) <= Version.parse(base.version):
        yield Finding(
            rule="version-increases",
            severity="warning",
            file=f"{chart.path}/Chart.yaml",
            message=f"The chart differs from {base.reference} ({base.version}), but still has the version "
            f"{chart.version}.",
            why=_WHY,
            fix=_FIX,
        )


RULE = ChartRule(
    id="version-increases",
    severity="warning",
    about="A changed chart has a higher version than the base",
    why=_WHY,
    fix=_FIX,
    check_chart=check_chart,
    bad=Twin(files={"values.yaml": "replicas: 3\n"}, base={}),
    good=Twin(files={}, base={}),
)
