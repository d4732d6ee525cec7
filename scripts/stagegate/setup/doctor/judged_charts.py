"""Runs chart-check on the charts of the work tree, for doctor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from stagegate.chart import dependencies, source
from stagegate.chart.check import facts as chart_facts
from stagegate.chart.check import plan
from stagegate.chart.check.request import CheckRequest
from stagegate.clients.registry import credentials
from stagegate.errors import Stop
from stagegate.settings import ChartSettings, Settings
from stagegate.setup.doctor.facts import DoctorFacts, JudgedChart

_UNKNOWN = frozenset({"unreachable", "rate-limited", "server-error", "timeout"})


def read(
    facts: DoctorFacts, workspace: Path, *, username: str = "", password: str = "", offline: bool = False
) -> DoctorFacts:
    """The same facts with what chart-check reports for each chart that is built here.

    Without helm nothing is rendered, which the check `tools` reports. `offline`: dependencies are not downloaded.
    """
    if not facts.tools.get("helm"):
        return facts
    existing = {chart.path for chart in facts.survey.charts}
    judged = tuple(
        _judged(facts, settings, chart_settings, config, workspace, (username, password), offline)
        for config, settings, chart_settings in _built_here(facts)
        if chart_settings.path.rstrip("/") in existing  # the check chart-name reports other charts
    )
    return msgspec.structs.replace(facts, charts=judged)


def _built_here(facts: DoctorFacts) -> Iterator[tuple[str, Settings, ChartSettings]]:
    for config, settings in facts.valid:
        if settings.own_chart is not None and not settings.source:
            yield config, settings, settings.own_chart


def _judged(
    facts: DoctorFacts,
    settings: Settings,
    chart_settings: ChartSettings,
    config: str,
    workspace: Path,
    login: tuple[str, str],
    offline: bool,
) -> JudgedChart:
    chart = JudgedChart(path=chart_settings.path, config=config)
    try:
        if offline and not dependencies.in_place(
            source.read(workspace / chart_settings.path, chart_settings.path, lenient=True)
        ):
            return msgspec.structs.replace(
                chart,
                trouble=f"doctor did not render the chart {chart_settings.path}, because its dependencies "
                f"are not in {chart_settings.path}/charts.",
                why="With `offline`, doctor does not download dependencies.",
                cure=f"stagegate chart-check --config {config}",
                unknown=True,
            )
        checked = plan.plan(
            chart_facts.read(
                settings,
                chart_settings,
                chart_facts.Checkout(workspace, facts.survey.repository),
                credentials.for_hosts(settings.registry_hosts, *login),
                CheckRequest(),
            )
        )
    except Stop as stop:
        return msgspec.structs.replace(
            chart, trouble=stop.what, why=stop.why, cure=stop.next, unknown=stop.reason in _UNKNOWN
        )
    return msgspec.structs.replace(chart, findings=checked.failing)
