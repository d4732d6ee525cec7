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
                f"There is no chart in {chart_settings.path}.",
                f"The charts of this repository are: {near}.",
                f"Correct `chart.path` in {config}.",
                file=config,
            )
            continue
        name = settings.chart_reference.rpartition("/")[2]
        if chart.name != name:
            yield finding(
                "error",
                f"The chart in {chart.path} is called {chart.name}, and would be published as {name}.",
                "Without `chart.name` the name is that of the folder, but Argo CD uses the one in Chart.yaml.",
                f"Write `name: {chart.name}` under `chart` in {config}.",
                file=config,
            )


CHECK = DoctorCheck(
    name="chart-name",
    looks_at="The chart's folder, and its name against the folder's and the setting `chart.name`",
    cure="Correct `chart.path` or `chart.name`.",
    check=check,
)
