"""steady: rendering twice gives the same; Argo CD renders at each sync, so what is random changes each time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rules.ground import CheckFacts, Rendered, finding, leaves
from stagegate.model import Finding


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """Objects that differ between two renderings; an error in a Secret, whose values are never shown (I8)."""
    if rendered.objects is None or rendered.again is None:
        return
    for one, other in zip_longest(rendered.objects, rendered.again):
        if one is not None and other is not None and one.digest == other.digest:
            continue
        known = one or other
        yield finding(
            "steady",
            known,
            rendered,
            ground,
            severity="error" if known.is_secret else "warning",
            message=f"{known.label} is rendered differently each time{_where(one, other)}.",
            why="Argo CD renders at every sync and without the cluster, where `lookup` finds nothing: "
            + ("passwords rotate." if known.is_secret else "it is never in sync, or restarts each time."),
            fix="Take the value from outside (an existing Secret, a value) instead of rand*, gen*, uuidv4 or now.",
        )


def _where(one: RenderedObject | None, other: RenderedObject | None) -> str:
    if one is None or other is None or one.is_secret:
        return ""
    first, second = dict(leaves(one.body)), dict(leaves(other.body))
    paths = [path for path in dict.fromkeys((*first, *second)) if first.get(path) != second.get(path)]
    return f" at {', '.join(paths[:3])}" if paths else ""
