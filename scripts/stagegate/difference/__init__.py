"""The effect of a change in the cluster: both sides rendered and compared by object, without secrets."""

from __future__ import annotations

from stagegate.difference.compare import compare
from stagegate.difference.risks import Risk, irreversible, risks
from stagegate.difference.values import Difference, FieldChange, ImageChange, ObjectChange

__all__ = [
    "Difference",
    "FieldChange",
    "ImageChange",
    "ObjectChange",
    "Risk",
    "compare",
    "irreversible",
    "risks",
]
