"""The registry of chart rules: every module of this folder defines one `RULE`."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from stagegate.chart.rule import ChartRule


@cache
def all_rules() -> tuple[ChartRule, ...]:
    """Every rule, by name. A module of this folder without a `RULE` is an error."""
    names = (file.stem for folder in __path__ for file in Path(folder).glob("*.py"))
    return tuple(_of(name) for name in sorted(names) if name != "__init__")


def _of(name: str) -> ChartRule:
    rule = getattr(importlib.import_module(f"{__name__}.{name}"), "RULE", None)
    if not isinstance(rule, ChartRule) or rule.id != name.replace("_", "-"):
        raise TypeError(f"{name}.py must define RULE, a ChartRule with the id {name.replace('_', '-')}")
    return rule
