"""yaml-style: Chart.yaml and values files are YAML that people and tools read the same way."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Twin, shown
from stagegate.model import Finding

_WHY = "Tabs and trailing blanks cause differences that are invisible in a review."
_FIX = "Remove them, for example with the editor; chart-testing's yamllint reports the same."


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """Tabs, blanks at the end of a line, and a last line without an end: one note for each file."""
    for name, text in chart.texts.items():
        lines = text.splitlines()
        places = [
            f"line {n}: a tab"
            for n, line in enumerate(lines, 1)
            if "\t" in line[: len(line) - len(line.lstrip())]
        ]
        places += [f"line {n}: blanks at the end" for n, line in enumerate(lines, 1) if line != line.rstrip()]
        places += ["no line end after the last line"] if text and not text.endswith("\n") else []
        if places:
            yield Finding(
                rule="yaml-style",
                severity="note",
                file=f"{chart.path}/{name}",
                message=f"{name} has {shown(places)}.",
                why=_WHY,
                fix=_FIX,
            )


RULE = ChartRule(
    id="yaml-style",
    severity="note",
    about="Chart.yaml and values files contain no tabs and no trailing spaces",
    why=_WHY,
    fix=_FIX,
    check_chart=check_chart,
    bad=Twin(files={"values.yaml": "replicas: 2  \n"}),
    good=Twin(files={"values.yaml": "replicas: 2\n"}),
)
