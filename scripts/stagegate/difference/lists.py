"""Aligns two lists, so that one more element does not show every element as changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stagegate.model import to_json

_KEYS = ("name", "mountPath", "key", "containerPort", "port", "host", "ip")
_PAIRED = 12  # elements of one stretch that are compared each with each


def identity(*sides: Sequence[Any]) -> str | None:
    """The key that tells the elements of all these lists apart, as Kubernetes merges them."""
    if not all(isinstance(item, Mapping) for side in sides for item in side):
        return None
    for key in _KEYS:
        names = [[item.get(key) for item in side] for side in sides]
        if all(
            all(isinstance(name, str | int) for name in side)
            and len({str(name) for name in side}) == len(side)
            for side in names
        ):
            return key
    return None


def aligned(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Places of elements that belong together, where they differ; None where there is no other."""
    before, after = ([to_json(item).decode() for item in side] for side in (old, new))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=len(before) > 2_000)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = dict(_pairs(before[i1:i2], after[j1:j2]))
        taken = {j1 + place for place in pairs.values()}
        yield from ((i, None if i - i1 not in pairs else j1 + pairs[i - i1]) for i in range(i1, i2))
        yield from ((None, j) for j in range(j1, j2) if j not in taken)


def _pairs(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Which elements of a stretch are the same one, changed: in their order, or the most alike."""
    if len(before) == len(after) or max(len(before), len(after)) > _PAIRED:
        yield from ((place, place) for place in range(min(len(before), len(after))))
        return
    scores = sorted(
        (
            (difflib.SequenceMatcher(None, one[:2_000], other[:2_000]).quick_ratio(), -i, -j)
            for i, one in enumerate(before)
            for j, other in enumerate(after)
        ),
        reverse=True,
    )
    left, right = set(range(len(before))), set(range(len(after)))
    for score, i, j in scores:
        if score > 0.6 and -i in left and -j in right:
            left.discard(-i)
            right.discard(-j)
            yield -i, -j
