"""Pairs objects that were renamed: a removed and an added object may be the same one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stagegate.difference import fields
from stagegate.difference.values import Body, ObjectChange
from stagegate.model import to_json

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
_ALIKE = 0.4
_MANY = 60  # of one kind; more are not compared each with each


def paired(changes: Sequence[ObjectChange]) -> list[ObjectChange]:
    """The changes, added objects with the removed one that they take the place of and what else differs."""
    added = [one for one in changes if one.change == "added"]
    removed = [one for one in changes if one.change == "removed"]
    if not added or not removed or len(added) * len(removed) > _MANY * _MANY:
        return list(changes)
    scores = sorted(
        (
            (_likeness(old, new), -place, -other)
            for place, old in enumerate(removed)
            for other, new in enumerate(added)
            if _kind(old) == _kind(new)
        ),
        reverse=True,
    )
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for score, place, other in scores:
        if score >= _ALIKE and -place not in pairs and -other not in taken:
            pairs[-place] = -other
            taken.add(-other)
    old_by_new = {id(added[other]): removed[place] for place, other in pairs.items()}
    return [_with(one, old_by_new[id(one)]) if id(one) in old_by_new else one for one in changes]


def _with(new: ObjectChange, old: ObjectChange) -> ObjectChange:
    before = _under(old.before, old.name, new.name)
    return msgspec.structs.replace(new, was=old.label, fields=fields.changed(before, new.after))


def _kind(one: ObjectChange) -> str:
    return "workload" if one.kind in _WORKLOADS else f"{one.group}/{one.kind}"


def _likeness(old: ObjectChange, new: ObjectChange) -> float:
    """The share of leaves that two objects have alike, names aside."""
    before, after = (
        set(_leaves(body, "")) for body in (_under(old.before, old.name, new.name), new.after or {})
    )
    either = before | after
    return len(before & after) / len(either) if either else 0.0


def _under(body: Body | None, old: str, new: str) -> Mapping[str, Any]:
    """A body with another name wherever the old one stands as a word."""
    text = to_json(body or {}).decode()
    pattern = rf"(?<![\w.]){re.escape(old)}(?![\w.])"
    value: Mapping[str, Any] = msgspec.json.decode(re.sub(pattern, lambda _: new, text))
    return value


def _leaves(value: object, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, f"{path}[]")
    else:
        yield f"{path}={value}"
