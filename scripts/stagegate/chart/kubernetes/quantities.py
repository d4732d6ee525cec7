"""Kubernetes quantities such as `10Gi` and `500m`, to compare them.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

from decimal import Decimal

from stagegate.patterns import pattern

_QUANTITY = pattern(r"\"?([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?\"?")
_FACTORS = {"": Decimal(1), "m": Decimal("0.001"), "k": Decimal(1000)}
_FACTORS |= {unit: Decimal(1000) ** power for power, unit in enumerate("MGTPE", 2)}
_FACTORS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)}


def amount(text: str | None) -> Decimal | None:
    """The value of a quantity, or None for another text."""
    match = _QUANTITY.fullmatch(text or "")
    return Decimal(match[1]) * _FACTORS[match[2] or ""] if match else None


def shrinks(before: str | None, after: str | None) -> bool:
    """Whether a quantity decreases; a removed or unreadable one counts as a decrease."""
    amount_before, amount_after = amount(before), amount(after)
    if before is None or amount_before is None:
        return False
    return amount_after is None or amount_after < amount_before
