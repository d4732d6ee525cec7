"""value-follows: a name written out where it should come from a value; it breaks where the value is another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.chart.rules.ground import CheckFacts, Rendered, finding, is_definition, leaves
from stagegate.model import Finding

RULE = "value-follows"


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """`chart.checks.follow` has value -> literal: with the value set to the probe, the literal must be gone."""
    for value, literal in ground.checks.follow.items():
        probed = rendered.probes.get(value)
        if rendered.objects is None or probed is None:
            continue
        word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(literal)}(?![A-Za-z0-9])")
        if not any(word.search(text) for one in rendered.objects for _, text in leaves(one.body)):
            yield Finding(
                rule=RULE,
                severity="note",
                environment=rendered.environment,
                file=ground.place(""),
                message=f"Whether {literal} follows {value} was not tried: nothing renders it.",
                why="chart.checks.follow names what the value is before it is changed.",
                fix="Correct the literal, or take the line out of chart.checks.follow.",
            )
        for one in probed:
            places = [path for path, text in leaves(one.body) if word.search(text)]
            if places and not is_definition(one):
                shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
                yield finding(
                    RULE,
                    one,
                    rendered,
                    ground,
                    message=f"{one.label} says {literal} at {shown} although {value} is another.",
                    why="A name that is derived in one place and written out in another breaks where it differs.",
                    fix=f"Derive it from .Values.{value} there too.",
                )
