"""version-consistent: all version files contain the same version."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from stagegate.chart.rule import ChartRule, CheckFacts, Twin
from stagegate.model import Finding

_WHY = "The version of a chart is the version of its release, and appVersion names the version of the images."
_FIX = "List each file under version.files, so that version-bump updates them together."


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """Findings about the version files, and about the two versions of Chart.yaml."""
    for finding in chart.version_files:
        yield msgspec.structs.replace(finding, rule="version-consistent", why=_WHY, fix=finding.fix)
    application = str(chart.metadata.get("appVersion") or "")
    if chart.published and application != chart.version and not chart.version_files:
        yield Finding(
            rule="version-consistent",
            severity="error",
            file=f"{chart.path}/Chart.yaml",
            message=f"Chart.yaml has version {chart.version} and appVersion {application or 'missing'}.",
            why=f"{_WHY} helm-publish refuses a chart with two versions.",
            fix=_FIX,
        )


RULE = ChartRule(
    id="version-consistent",
    severity="error",
    about="All version files contain the same version",
    why=_WHY,
    fix=_FIX,
    check_chart=check_chart,
    bad=Twin(files={"Chart.yaml": 'apiVersion: v2\nname: kiosk\nversion: 1.4.0\nappVersion: "1.3.9"\n'}),
    good=Twin(files={"Chart.yaml": 'apiVersion: v2\nname: kiosk\nversion: 1.4.0\nappVersion: "1.4.0"\n'}),
)
