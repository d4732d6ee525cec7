"""maintainers: Chart.yaml names the maintainers of the chart, in the form that Helm reads."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Twin
from stagegate.model import Finding

_WHY = "Users of the chart look for a contact among the maintainers in Chart.yaml."
_FIX = "Write `maintainers: [{name: ..., email: ...}]` into Chart.yaml."


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """Maintainers without a name. A chart without maintainers is accepted, because most charts are private."""
    listed = chart.metadata.get("maintainers")
    if listed is None:
        return
    wrong = not isinstance(listed, list) or any(
        not isinstance(entry, dict) or not entry.get("name") for entry in listed
    )
    if wrong:
        yield Finding(
            rule="maintainers",
            severity="warning",
            file=f"{chart.path}/Chart.yaml",
            message="A maintainer in Chart.yaml has no name.",
            why=_WHY,
            fix=_FIX,
        )


_CHART = 'apiVersion: v2\nname: kiosk\nversion: 1.4.0\nappVersion: "1.4.0"\nmaintainers: [{%s: team}]\n'

RULE = ChartRule(
    id="maintainers",
    severity="warning",
    about="Maintainers in Chart.yaml have a name",
    why=_WHY,
    fix=_FIX,
    check_chart=check_chart,
    bad=Twin(files={"Chart.yaml": _CHART % "url"}),
    good=Twin(files={"Chart.yaml": _CHART % "name"}),
)
