"""The rules over rendered objects, one file each: pure, from a rendering to findings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stagegate.chart.rules import (
    duplicate,
    floating_tag,
    image_follows,
    references,
    steady,
    value_follows,
    values_file,
)
from stagegate.chart.rules.ground import CheckFacts, Rendered, Rule

__all__ = ["RULES", "CheckFacts", "Rendered"]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "values-file": values_file.check,
        "duplicate": duplicate.check,
        "references": references.check,
        "image-follows": image_follows.check,
        "value-follows": value_follows.check,
        "floating-tag": floating_tag.check,
        "steady": steady.check,
    }
)
