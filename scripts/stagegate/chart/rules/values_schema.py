"""values-schema: the values of every environment satisfy values.schema.json."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.rule import ChartRule, CheckFacts, Failure, Rendered, Twin
from stagegate.chart.rules.chart_lint import SCHEMA
from stagegate.model import Finding

_WHY = "Helm refuses to render values that the schema does not allow."
_FIX = "Correct the value named above, or the schema where it is too narrow."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Helm's errors about the schema, from rendering or otherwise from linting."""
    failure: Failure | None = (
        rendered.failure if rendered.failure and SCHEMA.search(rendered.failure.why) else None
    )
    texts = (
        [failure.why] if failure else [line.text for line in rendered.lint if SCHEMA.search(line.text)][:1]
    )
    for text in texts:
        yield Finding(
            rule="values-schema",
            severity="error",
            environment=rendered.environment,
            file=f"{chart.path}/values.schema.json",
            message=f"The values do not satisfy the schema of {chart.name}.",
            why=text,
            fix=_FIX,
        )


_SCHEMA_FILE = '{"properties": {"replicas": {"type": "integer", "maximum": %d}}}'

RULE = ChartRule(
    id="values-schema",
    severity="error",
    about="The values of every environment satisfy values.schema.json",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"values.schema.json": _SCHEMA_FILE % 1}),
    good=Twin(files={"values.schema.json": _SCHEMA_FILE % 5}),
)
