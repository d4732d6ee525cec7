"""document-shape: every rendered document is one Kubernetes object."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin
from stagegate.model import Finding

_FIX = (
    "Correct the template. The usual cause is one {{- or -}} too many, which removes a line break, or "
    "a missing line `---`."
)


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """One finding for each document that is not an object."""
    for document in rendered.broken:
        if document.repeated:
            continue
        yield Finding(
            rule="document-shape",
            severity="error",
            environment=rendered.environment,
            file=chart.place(document.template),
            message=f"{document.template or 'A document'} renders something that is not a Kubernetes object.",
            why=document.why,
            fix=_FIX,
        )


_MORE = "# accounts\n%s\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: more}\n"

RULE = ChartRule(
    id="document-shape",
    severity="error",
    about="Every rendered document is one Kubernetes object",
    why="Helm or Kubernetes drops or refuses a document without apiVersion, kind or name, and also the document "
    "that a missing --- joins to it.",
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _MORE % "{{- /* trimmed */ -}}"}),
    good=Twin(files={"templates/more.yaml": _MORE % "{{- /* kept apart */}}"}),
)
