"""Sets of parameters as generators make them, and what is done to them. Pure.

With `goTemplate` a parameter is any value and nested; without it every one is a text under a flat name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Parameters = dict[str, Any]


class Unexpanded(Exception):
    """The controller would make no Applications; the message is its reason."""


class NotExpandable(Exception):
    """The set depends on something outside Git and the settings; the message names it."""


def flat(value: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf under its dotted name, as Go prints it."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from flat(item, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from flat(item, f"{prefix}.{index}" if prefix else str(index))
    elif prefix:
        yield prefix, printed(value)


def printed(value: object) -> str:
    """A value as Go's `%v` writes it; numbers come from JSON and are all floating point."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number(float(value))
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{k}:{printed(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(printed, value))}]"
    return str(value)


def number(value: float) -> str:
    """A float as Go's `%v`: the shortest digits, with an exponent from 1e+21 on and below 1e-04."""
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    return re.sub(r"e([+-])(\d)$", r"e\g<1>0\2", text)


def normalized(name: str) -> str:
    """A name as Kubernetes takes it: Argo CD's `nameNormalized` and `basenameNormalized`."""
    return re.sub(r"[^-a-z0-9.]", "-", name.lower())[:253].strip("-.")


def deep_merged(
    low: Mapping[str, Any], high: Mapping[str, Any], *, override_empty: bool = False
) -> Parameters:
    """Both, `high` winning where it has something to say, mappings taken together."""
    merged = dict(low)
    for key, value in high.items():
        existing = merged.get(key)
        if isinstance(existing, Mapping) and isinstance(value, Mapping):
            merged[key] = deep_merged(existing, value, override_empty=override_empty)
        elif override_empty or key not in merged or value not in (None, "", 0, False, [], {}):
            merged[key] = value
    return merged


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """A Kubernetes label selector. Unexpanded for an operator that Kubernetes does not have."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != str(value):
            return False
    for rule in selector.get("matchExpressions") or ():
        key, operator, values = (
            rule.get("key"),
            rule.get("operator"),
            [str(v) for v in rule.get("values") or ()],
        )
        verdicts = {
            "In": key in labels and labels[key] in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if operator not in verdicts:
            raise Unexpanded(f'"{operator}" is not a valid label selector operator')
        if not verdicts[operator]:
            return False
    return True


def combined(first: Parameters, second: Parameters, *, go: bool) -> Parameters:
    """Parameters of both sides of a matrix. Unexpanded where texts of one name differ."""
    if go:
        return deep_merged(first, second)
    for key in first.keys() & second.keys():
        if first[key] != second[key]:
            raise Unexpanded(
                f"found duplicate key {key} with different value, a: {first[key]} ,b: {second[key]}"
            )
    return {**first, **second}


def merged_by(sides: Sequence[Sequence[Parameters]], keys: Sequence[str], *, go: bool) -> list[Parameters]:
    """Merge generator: sets of the first side, with what later sides say of those with the same keys."""
    base: dict[tuple[str, ...], Parameters] = {}
    for number_of, side in enumerate(sides):
        by_key: dict[tuple[str, ...], Parameters] = {}
        for one in side:
            key = tuple(printed(one.get(name)) for name in keys)
            if key in by_key:
                raise Unexpanded(
                    "the parameters from a generator were not unique by the given mergeKeys, Merge requires "
                    f"all param sets to be unique. Duplicate key was {dict(zip(keys, key, strict=True))}"
                )
            by_key[key] = one
        if not number_of:
            base = by_key
            continue
        for key, one in by_key.items():
            if key in base:
                base[key] = deep_merged(base[key], one, override_empty=not go)
    return list(base.values())
