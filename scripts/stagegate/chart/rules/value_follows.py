"""value-follows: a name is derived from its value everywhere, and never hard-coded."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding, shown
from stagegate.chart.walk import is_definition
from stagegate.model import Finding, Severity

_WHY = "A name that is derived in one place and hard-coded in another breaks where the value differs."
_SKIPPED = frozenset(("apiVersion", "apiGroup", "image", "kind"))


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """For each value and literal of `chart.checks.follow`: with the value changed, the literal must disappear."""
    if rendered.objects is None or rendered.secondary:
        return
    for value, literal in chart.checks.follow.items():
        if rendered.probed is None:
            if rendered.unprobed is not None:
                why = f"with {value}={chart.probes[value]} the chart does not render. {rendered.unprobed.why}"
                yield _untried(rendered, chart, value, literal, why, "error")
            continue
        if not any(True for resource in rendered.objects for _ in _places(resource, literal)):
            yield _untried(rendered, chart, value, literal, "no rendered object contains the text.", "note")
        groups: dict[str, list[tuple[RenderedObject, list[str]]]] = defaultdict(list)
        for resource in rendered.probed:
            places = list(_places(resource, literal))
            if places:
                groups[resource.template].append((resource, places))
        for several in groups.values():
            listed = [f"{resource.label} at {place}" for resource, places in several for place in places]
            yield finding(
                "value-follows",
                several[0][0],
                rendered,
                chart,
                message=f"{literal} does not change with {value}: {shown(listed)}.",
                why=_WHY,
                fix=f"Derive this text from .Values.{value} in these places too.",
            )


def _places(resource: RenderedObject, literal: str) -> Iterator[str]:
    """Paths of texts that contain the literal as a name: `shop`, `shop-rw`, `shop-rw.space.svc`, `x://shop:1`.

    API groups, images, file paths, and names that only begin or end with it are skipped.
    """
    if is_definition(resource):
        return
    escaped = re.escape(literal)
    name = re.compile(rf"(?<![\w.-]){escaped}(?![\w])")
    for path, text in resource.texts:
        last = path.rpartition(".")[2]
        if last in _SKIPPED or last.startswith("mountPath") or "apiGroups[" in path:
            continue
        for match in name.finditer(text):
            before, after = text[: match.start()], text[match.end() :]
            in_path = before.endswith("/") and not before.endswith("://")
            in_group = re.match(r"\.[a-z0-9-]+(\.[a-z0-9-]+)*(/|$)", after) and not re.match(
                r"\.[a-z0-9-]+(\.svc|$|:)|\.svc", after
            )
            in_image = re.match(r":[\w.-]+$", after) and before.endswith("/")
            if not (in_path or in_group or in_image):
                yield path
                break


def _untried(
    rendered: Rendered, chart: CheckFacts, value: str, literal: str, why: str, severity: Severity
) -> Finding:
    return Finding(
        rule="value-follows",
        severity=severity,
        environment=rendered.environment,
        file=f"{chart.path}/values.yaml",
        message=f"The text {literal} was not checked against the value {value}: {why}",
        why="chart.checks.follow must contain the current text of the value.",
        fix="Correct the literal or the value, or remove the line from chart.checks.follow.",
    )


_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n"
    'data: {database: %s, own: "{{ .Values.database }}"}\n'
)
_VALUES = "database: shop-db\n"

RULE = ChartRule(
    id="value-follows",
    severity="error",
    about="Names that are derived from a value change with the value",
    why=_WHY,
    fix="Derive the name from the value in every template.",
    check=check,
    bad=Twin(
        files={"values.yaml": _VALUES, "templates/more.yaml": _MAP % "shop-db-rw"},
        checks="{follow: {database: shop-db}}",
    ),
    good=Twin(
        files={"values.yaml": _VALUES, "templates/more.yaml": _MAP % '"{{ .Values.database }}-rw"'},
        checks="{follow: {database: shop-db}}",
    ),
)
