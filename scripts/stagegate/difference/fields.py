"""Two bodies of one object, field by field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stagegate.difference.values import FieldChange
from stagegate.model import to_json

_KEYS = ("name", "mountPath", "key", "containerPort", "port", "host", "ip")
_NOISE = re.compile(
    r"\.(?:labels|annotations)\.\"?(?:helm\.sh/chart|app\.kubernetes\.io/version|chart)\"?$"
    r"|\.annotations\.\"?[^\"]*checksum[^\"]*\"?$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w/$-]+")
_LINES = 40


def changed(before: object, after: object) -> tuple[FieldChange, ...]:
    """Every leaf that differs, in the order of their paths."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    paths = [*old, *(path for path in new if path not in old)]
    differing = [path for path in paths if old.get(path, _ABSENT) != new.get(path, _ABSENT)]
    wanted = [path for path in differing if not _is_echo(path, differing, old, new)]
    return tuple(_change(path, old.get(path, _ABSENT), new.get(path, _ABSENT)) for path in wanted)


def is_noise(field: FieldChange) -> bool:
    """Whether a field changes with every release and says nothing: version labels, checksums.

    In a selector or a volume claim template they are no noise: there they break the upgrade.
    """
    return "volumeClaimTemplates" not in field.path and _NOISE.search(field.path) is not None


class _Absent:
    pass


_ABSENT = _Absent()


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, _join(path, str(key)))
    elif isinstance(value, list | tuple) and value:
        key = _identity(value)
        if key is None:
            for index, item in enumerate(value):
                yield from _leaves(item, f"{path}[{index}]")
        else:
            names = [str(item[key]) for item in value]
            yield f"{path} (order)", tuple(names)
            for name, item in zip(names, value, strict=True):
                rest = {other: inner for other, inner in item.items() if other != key}
                yield from _leaves(rest, f"{path}[{name}]") if rest else iter([(f"{path}[{name}]", {})])
    else:
        yield path, value


def _identity(items: Sequence[Any]) -> str | None:
    """The key that tells the elements of a list apart, as Kubernetes merges them."""
    if not all(isinstance(item, Mapping) for item in items):
        return None
    for key in _KEYS:
        values = [item.get(key) for item in items]
        if all(isinstance(value, str | int) for value in values) and len({str(v) for v in values}) == len(
            items
        ):
            return key
    return None


def _is_echo(
    path: str, differing: Sequence[str], old: Mapping[str, object], new: Mapping[str, object]
) -> bool:
    """An order with other members, or the hash of a text of which the fields are listed, says nothing new."""
    if path.endswith(" (order)"):
        before, after = old.get(path), new.get(path)
        return not (
            isinstance(before, tuple) and isinstance(after, tuple) and sorted(before) == sorted(after)
        )
    if path.endswith("(text)"):
        prefix = path.removesuffix("(text)").rstrip(".")
        return any(other != path and other.startswith(prefix) for other in differing)
    return False


def _join(path: str, key: str) -> str:
    if not key:
        return path
    step = key if _PLAIN.fullmatch(key) or key == "(text)" else f'"{key}"'
    return f"{path}.{step}" if path else step


def _change(path: str, before: object, after: object) -> FieldChange:
    old = None if isinstance(before, _Absent) else _shown(before)
    new = None if isinstance(after, _Absent) else _shown(after)
    if old and new and ("\n" in old or "\n" in new):
        old, new = _lines(old, new)
    return FieldChange(path=path, before=old, after=new)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return to_json(value).decode()


def _lines(before: str, after: str) -> tuple[str, str]:
    """Only the lines of two texts that differ."""
    compared = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    old = [line[2:] for line in compared if line.startswith("- ")]
    new = [line[2:] for line in compared if line.startswith("+ ")]
    return _cut(old), _cut(new)


def _cut(lines: Sequence[str]) -> str:
    more = len(lines) - _LINES
    return "\n".join([*lines[:_LINES], *([f"... {more} more lines"] if more > 0 else [])])
