"""chart-name: the chart is at the path in the settings, and has the name of the published chart."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.tree import clean
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the folder of the chart, for its name, and for references to another chart."""
    charts = {chart.path: chart for chart in facts.survey.charts}
    for config, settings in facts.valid:
        chart_settings = settings.own_chart
        if chart_settings is None or settings.source:
            continue  # in a repository of pins the chart is elsewhere
        chart = charts.get(clean(chart_settings.path))
        if chart is None:
            near = ", ".join(charts) or "none"
            yield finding(
                "error",
                f"The folder {chart_settings.path} contains no chart.",
                f"The charts of this repository are: {near}.",
                f"Correct `chart.path` in {config}.",
                file=config,
            )
            continue
        name = settings.chart_reference.rpartition("/")[2]
        if chart.name != name:
            yield finding(
                "error",
                f"The chart in {chart.path} has the name {chart.name} in Chart.yaml, but would be "
                f"published as {name}.",
                "Without `chart.name`, the published chart has the name of the folder, but Argo CD "
                "uses the name in Chart.yaml.",
                f"Write `name: {chart.name}` under `chart` in {config}.",
                file=config,
            )


CHECK = DoctorCheck(
    name="chart-name",
    looks_at="The chart's folder, and whether the name in Chart.yaml matches the folder or the setting "
    "`chart.name`",
    cure="Correct `chart.path` or `chart.name`.",
    check=check,
)
