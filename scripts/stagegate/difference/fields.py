"""Two bodies of one object, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.difference import lists, texts
from stagegate.difference.values import FieldChange
from stagegate.model import to_json

_NOISE = re.compile(
    r"\.(?:labels|annotations)\.\"?(?:helm\.sh/chart|app\.kubernetes\.io/version|chart)\"?$"
    r"|\.annotations\.\"?[^\"]*checksum[^\"]*\"?$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w/$-]+")
_ABSENT: Any = object()
Found = Iterator[tuple[str, Any, Any]]


def changed(before: object, after: object) -> tuple[FieldChange, ...]:
    """Every field that differs, in the order of the earlier body; of list elements that come or go the whole."""
    differing = list(_differences(before, after, ""))
    paths = [path for path, _, _ in differing]
    return tuple(_change(path, old, new) for path, old, new in differing if not _is_echo(path, paths))


def is_noise(field: FieldChange) -> bool:
    """Whether a field changes with every release and is irrelevant: version labels, checksums.

    In a selector or a volume claim template they are no noise: there they break the upgrade.
    """
    return "volumeClaimTemplates" not in field.path and _NOISE.search(field.path) is not None


def _differences(old: Any, new: Any, path: str) -> Found:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), _join(path, str(key)))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        yield from _of_lists(old, new, path)
    elif isinstance(old, Mapping) and old and new is _ABSENT:
        for key, item in old.items():
            yield from _differences(item, _ABSENT, _join(path, str(key)))
    elif isinstance(new, Mapping) and new and old is _ABSENT:
        for key, item in new.items():
            yield from _differences(_ABSENT, item, _join(path, str(key)))
    elif not _same(old, new):
        yield path, old, new


def _of_lists(old: Any, new: Any, path: str) -> Found:
    key = lists.identity(old, new)
    if key is None:
        for left, right in lists.aligned(old, new):
            index = right if right is not None else left
            yield from _element(
                _ABSENT if left is None else old[left],
                _ABSENT if right is None else new[right],
                f"{path}[{index}]",
            )
        return
    before, after = ({str(item[key]): item for item in side} for side in (old, new))
    if list(before) != list(after) and sorted(before) == sorted(after):
        yield f"{path} (order)", tuple(before), tuple(after)
    for name in dict.fromkeys((*before, *after)):
        one, other = (side.get(name, _ABSENT) for side in (before, after))
        place = f"{path}[{name}]"
        if one is _ABSENT or other is _ABSENT:
            other_fields = {k: v for k, v in (other if one is _ABSENT else one).items() if k != key}
            empty: Any = other_fields or {}
            yield from _element(
                _ABSENT if one is _ABSENT else empty, _ABSENT if other is _ABSENT else empty, place
            )
        else:
            yield from _differences(one, other, place)


def _element(old: Any, new: Any, path: str) -> Found:
    """One list element: field by field where it stays, whole where it comes or goes; small ones by their field."""
    one = new if old is _ABSENT else old
    if (old is _ABSENT or new is _ABSENT) and not (isinstance(one, Mapping) and len(one) == 1):
        yield path, old, new
    else:
        yield from _differences(old, new, path)


def _same(old: object, new: object) -> bool:
    """Equal for JSON: a truth value is no number."""
    return old == new and isinstance(old, bool) == isinstance(new, bool)


def _is_echo(path: str, paths: list[str]) -> bool:
    """The hash of a text of which the fields are listed says nothing new."""
    if not path.endswith("(text)"):
        return False
    prefix = path.removesuffix("(text)").rstrip(".")
    return any(other != path and other.startswith(prefix) for other in paths)


def _join(path: str, key: str) -> str:
    if not key:
        return path
    step = key if _PLAIN.fullmatch(key) or key == "(text)" else f'"{key}"'
    return f"{path}.{step}" if path else step


def _change(path: str, before: object, after: object) -> FieldChange:
    old = None if before is _ABSENT else _shown(before)
    new = None if after is _ABSENT else _shown(after)
    if old is None or new is None:
        return FieldChange(path=path, before=old, after=new)
    if isinstance(before, str) and isinstance(after, str) and ("\n" in old or "\n" in new):
        left, right = texts.changed(old, new)
        return FieldChange(path=path, before=left, after=right, diff=texts.hunks(old, new))
    if old == new:  # another type: 8080 and "8080"
        old, new = (
            to_json(value).decode() if isinstance(value, str) else text
            for value, text in ((before, old), (after, new))
        )
    elif " ".join(old.split()) == " ".join(new.split()):
        old, new = texts.visible(old), texts.visible(new)
    return FieldChange(path=path, before=old, after=new)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return to_json(value).decode()
