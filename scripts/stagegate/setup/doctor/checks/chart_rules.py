"""chart-rules: the chart passes chart-check, before the first release runs it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings that fail chart-check, and for charts that could not be rendered."""
    for chart in facts.charts:
        for failure in chart.findings:
            cure = f"{failure.fix} `stagegate explain {failure.rule}` describes the rule."
            yield msgspec.structs.replace(failure, severity="error", fix=cure)
        if chart.trouble:
            yield finding(
                "note" if chart.unknown else "error",
                chart.trouble,
                chart.why,
                chart.cure,
                file=chart.config,
            )


CHECK = DoctorCheck(
    name="chart-rules",
    looks_at="The chart as rendered for each environment, checked with the rules of chart-check",
    cure="Run `stagegate chart-check`.",
    check=check,
)
