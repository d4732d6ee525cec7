"""The registry of chart rules: every module of this folder defines one `RULE`."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from stagegate.chart.rule import ChartRule


@cache
def all_rules() -> tuple[ChartRule, ...]:
    """Every rule, by name. A module of this folder without a `RULE` is an error."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return tuple(_of(name) for name in names)


def _of(name: str) -> ChartRule:
    rule = getattr(importlib.import_module(f"{__name__}.{name}"), "RULE", None)
    if not isinstance(rule, ChartRule) or rule.id != name.replace("_", "-"):
        raise TypeError(f"{name}.py must define RULE, a ChartRule with the id {name.replace('_', '-')}")
    return rule
