"""In which order people see the objects of a difference. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stagegate.difference.change import RiskSeen
from stagegate.difference.values import ObjectChange

_KINDS = ("removed", "changed", "added")


def by_change(changes: Iterable[ObjectChange]) -> tuple[ObjectChange, ...]:
    """Removed objects, then changed ones, then new ones."""
    return tuple(sorted(changes, key=lambda one: _KINDS.index(one.change)))


def risky_first(changes: Iterable[ObjectChange], risks: Sequence[RiskSeen]) -> tuple[ObjectChange, ...]:
    """Objects with a risk before the others, each group in the order given."""
    risky = {risk.object for risk in risks}
    return tuple(sorted(changes, key=lambda one: one.label not in risky))
