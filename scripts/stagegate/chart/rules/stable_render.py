"""stable-render: rendering twice gives the same objects."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding, shown
from stagegate.chart.walk import is_test
from stagegate.model import Finding
from stagegate.patterns import pattern

_WHY = "Argo CD renders the chart at every sync, without access to the cluster."
_EXISTING = pattern(r"\.Values\.([\w.]*[eE]xisting[\w]*)")
_NOW = pattern(r"(?<![\w.])(?:now|ago)(?![\w])[^}\n]*")
_FIX = "Use an existing Secret or a value instead of rand*, gen*, uuidv4 or now."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Objects that differ between two renderings, by template.

    An error for a Secret, whose values are not shown.
    """
    differing: dict[tuple[str, bool], list[tuple[RenderedObject, str]]] = defaultdict(list)
    if rendered.objects is not None and rendered.again is not None:
        for first, second in zip_longest(rendered.objects, rendered.again):
            if first is None or second is None or first.digest != second.digest:
                resource = first or second
                if not is_test(resource):
                    differing[resource.template, resource.is_secret].append((resource, _where(first, second)))
    for (template, secret), several in differing.items():
        resource = several[0][0]
        guard = (
            " In Argo CD, the `lookup` of the template returns nothing."
            if "lookup" in chart.source(template)
            else ""
        )
        effect = (
            "The passwords change with every sync."
            if secret
            else "The object is never in sync, or restarts at each sync."
        )
        cure = _EXISTING.search(chart.source(template))
        yield finding(
            "stable-render",
            resource,
            rendered,
            chart,
            severity="error" if secret else "warning",
            message=f"{shown([item.label + where for item, where in several])} is rendered differently each time.",
            why=f"{_WHY}{guard} {effect}",
            fix=f"Set {cure[1]} to the name of a Secret that exists." if cure else _FIX,
        )
    for template, resource in {o.template: o for o in rendered.objects or () if not is_test(o)}.items():
        text = re.sub(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", "", chart.source(template), flags=re.DOTALL)
        used = next(
            (m[0] for action in re.findall(r"\{\{.*?\}\}", text, re.DOTALL) for m in _NOW.finditer(action)),
            "",
        )
        if used and not any(name == template for name, _ in differing):
            yield finding(
                "stable-render",
                resource,
                rendered,
                chart,
                severity="warning",
                message=f"{template} uses `{used.strip()[:60]}`: its result depends on the date.",
                why=f"{_WHY} The workloads restart when the date changes.",
                fix="Write the release's version, or a checksum of the content whose change should cause a "
                "restart.",
            )


def _where(before: RenderedObject | None, after: RenderedObject | None) -> str:
    if before is None or after is None or before.is_secret:
        return ""
    first, second = dict(before.texts), dict(after.texts)
    paths = [path for path in dict.fromkeys((*first, *second)) if first.get(path) != second.get(path)]
    return f" at {', '.join(paths[:3])}" if paths else ""


_MAP = "apiVersion: v1\nkind: Secret\nmetadata: {name: more}\nstringData: {password: %s}\n"

RULE = ChartRule(
    id="stable-render",
    severity="error",
    about="Rendering twice gives the same objects",
    why=_WHY,
    fix=_FIX,
    check=check,
    bad=Twin(files={"templates/more.yaml": _MAP % "{{ randAlphaNum 20 }}"}),
    good=Twin(files={"templates/more.yaml": _MAP % "only-for-tests"}),
)
