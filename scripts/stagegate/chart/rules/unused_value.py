"""unused-value: the chart reads every key of an environment's values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin
from stagegate.model import Finding

_WHY = "Helm accepts any key, so a misspelt one has no effect and causes no error."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Keys that neither values.yaml nor a template contains; free-form mappings and subcharts are not checked."""
    text = "\n".join(chart.templates.values())
    words = frozenset(re.findall(r"[\w-]+", text))
    names = {str(entry.get("alias") or entry.get("name")) for entry in _dependencies(chart)}
    for file, values in rendered.files.items():
        for path, near in _unused(values, chart.values, "", words, names):
            yield Finding(
                rule="unused-value",
                severity="warning",
                environment=rendered.environment,
                file=rendered.file if file.endswith(" of the Application") else file,
                message=f"The chart does not use {path} in {file}.",
                why=_WHY,
                fix=f"Did you mean {near}?" if near else "Correct the key, or remove the key.",
            )


def _dependencies(chart: CheckFacts) -> list[Mapping[str, object]]:
    listed = chart.metadata.get("dependencies")
    return (
        [dependency for dependency in listed if isinstance(dependency, dict)]
        if isinstance(listed, list)
        else []
    )


def _unused(
    values: Mapping[str, object],
    defaults: Mapping[str, object],
    path: str,
    words: frozenset[str],
    skipped: set[str],
) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        place = f"{path}.{key}" if path else key
        if not path and (key in skipped or key == "global"):
            continue
        if key not in defaults:
            if key not in words:
                import difflib  # loaded only for a misspelt key

                near = difflib.get_close_matches(key, list(defaults), 1)
                yield place, f"{path}.{near[0]}".lstrip(".") if near else ""
            continue
        default = defaults[key]
        if isinstance(value, dict) and isinstance(default, dict) and default:
            yield from _unused(value, default, place, words, set())


_PINS = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: kiosk}
spec:
  destination: {namespace: kiosk}
  source:
    repoURL: ghcr.io/acme/charts
    chart: kiosk
    targetRevision: 1.4.0
    helm: {valuesObject: {%s: 3}}
"""

RULE = ChartRule(
    id="unused-value",
    severity="warning",
    about="The chart reads every key of an environment's values",
    why=_WHY,
    fix="Correct the key, or remove the key.",
    check=check,
    bad=Twin(pins=_PINS % "replica"),
    good=Twin(pins=_PINS % "replicas"),
)
