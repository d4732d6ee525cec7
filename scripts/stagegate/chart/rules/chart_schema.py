"""chart-schema: Chart.yaml has the fields that Helm and chart repositories expect."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Twin
from stagegate.model import Finding, Severity
from stagegate.patterns import pattern
from stagegate.versions import Version

_FIELDS = frozenset(
    (
        "apiVersion",
        "name",
        "version",
        "kubeVersion",
        "description",
        "type",
        "keywords",
        "home",
        "sources",
        "dependencies",
        "maintainers",
        "icon",
        "appVersion",
        "deprecated",
        "annotations",
        "engine",
        "tillerVersion",
        "condition",
        "tags",
    )
)
_TYPES = ("application", "library")
_NAME = pattern(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_WHY = (
    "Helm ignores unknown fields, and chart repositories may refuse a chart in which a required field is "
    "missing."
)
_FIX = "Correct Chart.yaml; https://helm.sh/docs/topics/charts/ lists the fields."


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """Fields of Chart.yaml that are unknown, have the wrong type, or are from an older format."""
    for severity, message in _problems(chart):
        yield Finding(
            rule="chart-schema",
            severity=severity,
            file=f"{chart.path}/Chart.yaml",
            message=message,
            why=_WHY,
            fix=_FIX,
        )


def _problems(chart: CheckFacts) -> Iterator[tuple[Severity, str]]:
    metadata = chart.metadata
    folder = chart.path.rstrip("/").rpartition("/")[2]
    if metadata.get("apiVersion") == "v1":
        yield "warning", "Chart.yaml has apiVersion v1, the format of Helm 2."
    written = str(metadata.get("version", ""))
    if written.startswith("v"):
        yield "warning", f"The version {written} begins with v, which SemVer does not allow."
    elif not Version.is_valid(written):
        yield (
            "warning",
            f"The version {written} does not have the three numbers of SemVer; helm-publish refuses it.",
        )
    if metadata.get("type", "application") not in _TYPES:
        yield "error", f"`type` is {metadata['type']!r}, but Helm accepts only application and library."
    app_version = metadata.get("appVersion")
    if app_version is not None and not isinstance(app_version, str):
        yield "error", f"`appVersion` is {app_version!r}, but must be text; put the value in quotes."
    for key in metadata:
        if key not in _FIELDS:
            yield "warning", f"{key} is not a field of Chart.yaml."
    if not _NAME.fullmatch(chart.name):
        yield (
            "warning",
            f"The chart name {chart.name} contains characters other than lower-case letters, digits and -.",
        )
    if folder and folder != "." and folder != chart.name:
        yield "note", f"The chart is called {chart.name}, but its folder is {folder}."


RULE = ChartRule(
    id="chart-schema",
    severity="error",
    about="Chart.yaml has the fields that Helm expects",
    why=_WHY,
    fix=_FIX,
    check_chart=check_chart,
    bad=Twin(
        files={
            "Chart.yaml": 'apiVersion: v2\nname: kiosk\ntype: service\nversion: 1.4.0\nappVersion: "1.4.0"\n'
        }
    ),
    good=Twin(
        files={
            "Chart.yaml": 'apiVersion: v2\nname: kiosk\ntype: application\nversion: 1.4.0\nappVersion: "1.4.0"\n'
        }
    ),
)
