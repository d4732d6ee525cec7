"""chart-lint: the chart renders with the values of every environment, and `helm lint` accepts it."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin
from stagegate.model import Finding, Severity
from stagegate.patterns import pattern

SCHEMA = pattern(r"values don't meet the specifications of the schema|jsonschema|values\.schema\.json")
_GONE = pattern(r"(\S+) \S+ is deprecated in \S+ unavailable in v(\d+)\.(\d+)")
_ILLEGAL = pattern(r"does not conform to Kubernetes naming|invalid (?:metadata|name)|must be no more than")
# Lists and objects with generateName have no name; document-shape checks names.
_NAMELESS = pattern(r'naming requirements: ""')
_INCOMPLETE = pattern(
    r"missing these dependencies|missing dependency|found in Chart\.yaml, but missing in charts"
)
_FIRST_FORM = pattern(
    r"is not valid in apiVersion 'v1'|apiVersion 'v1' is not valid|version .* is not a valid SemVer"
)
_WHY = (
    "A chart that Helm refuses is not installed, and Argo CD shows a comparison error instead of the release."
)
_FIX = (
    "Correct the template or the values of the environment. `helm template` with these values shows "
    "the error."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """The error of the rendering, and further messages of `helm lint`."""
    failure = rendered.failure
    if failure is not None and not SCHEMA.search(failure.why):
        yield Finding(
            rule="chart-lint",
            severity="error",
            environment=rendered.environment,
            file=failure.file or f"{chart.path}/Chart.yaml",
            line=failure.line,
            message=failure.what,
            why=failure.why,
            fix=_FIX,
        )
    for line in rendered.lint:
        broken = "YAML parse error" in line.text or "unable to parse YAML" in line.text
        if SCHEMA.search(line.text) or _NAMELESS.search(line.text) or (broken and rendered.broken):
            continue
        if "appVersion should be of type string" in line.text:
            continue  # chart-schema reports it
        if line.severity == "error" and failure is not None and not _INCOMPLETE.search(line.text):
            continue  # the same error in another form
        yield Finding(
            rule="chart-lint",
            severity=_severity(line.severity, line.text, chart),
            environment=rendered.environment,
            file=line.file,
            message=f"helm lint: {line.text}",
            why=_WHY,
            fix=_FIX,
        )


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """A note for a library chart, which renders nothing."""
    if chart.library:
        yield Finding(
            rule="chart-lint",
            severity="note",
            file=f"{chart.path}/Chart.yaml",
            message=f"{chart.name} is a library chart, so chart-check only linted it.",
            why="A library chart renders no objects, so the rules about rendered objects check nothing.",
            fix="Check a chart that uses the library.",
        )


def _severity(severity: Severity, text: str, chart: CheckFacts) -> Severity:
    """The severity of a message. Illegal names and removed APIs are errors, because a cluster refuses them."""
    gone = _GONE.search(text)
    if gone:
        minor = int(chart.kube_version.split(".")[1])
        unavailable = (int(gone[2]), int(gone[3])) <= (1, minor) and not chart.asks_for(gone[1])
        return "error" if unavailable else "warning"
    if _FIRST_FORM.search(text):
        return "warning"  # helm installs the chart anyway
    return "error" if _ILLEGAL.search(text) else severity


RULE = ChartRule(
    id="chart-lint",
    severity="error",
    about="The chart renders for every environment, and helm lint accepts it",
    why=_WHY,
    fix=_FIX,
    check=check,
    check_chart=check_chart,
    bad=Twin(files={"templates/more.yaml": '{{ required "tenant is needed" .Values.tenant }}\n'}),
    good=Twin(files={"templates/more.yaml": '{{- $tenant := required "tenant is needed" .Values.host }}\n'}),
)
