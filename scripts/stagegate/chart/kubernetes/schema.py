"""Checks one object against the field table of a Kubernetes version, as `kubectl apply` validates it.

`python -m lab.kubernetes_table` writes the table. It is read when the first object is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from stagegate.chart.kubernetes import enumerations, texts, validation
from stagegate.chart.kubernetes.texts import Problem

_TABLE = Path(__file__).with_name("table.json")
_NAMES = {"s": "text", "i": "a whole number", "n": "a number", "b": "true or false", "o": "a mapping"}
_BASIC: Mapping[str, tuple[type, ...]] = {
    "s": (str,),
    "i": (int,),
    "n": (int, float),
    "b": (bool,),
    "o": (dict,),
}
# Fields that are required in OpenAPI, but that the API server fills in or accepts as empty.
_DEFAULTED = frozenset((("RoleRef", "apiGroup"), ("HTTPHeader", "value"), ("PriorityClass", "value")))


class Table(msgspec.Struct, frozen=True):
    """The table: versions oldest first, `apiVersion Kind Type` with the versions that serve it, and types."""

    versions: tuple[str, ...]
    kinds: dict[str, tuple[str, ...]]
    types: dict[str, tuple[tuple[tuple[str, ...], dict[str, str]], ...]]


@cache
def table() -> Table:
    """The table, read once."""
    return msgspec.json.decode(_TABLE.read_bytes(), type=Table)


@cache
def _kinds(version: str) -> tuple[dict[tuple[str, str], str], frozenset[str]]:
    """Types by apiVersion and kind, and the API groups that Kubernetes itself serves."""
    served: dict[tuple[str, str], str] = {}
    groups = set()
    for entry, versions in table().kinds.items():
        api, kind, name = entry.split(" ")
        groups.add(api.rpartition("/")[0])
        if version in versions:
            served[api, kind] = name
    return served, frozenset(groups)


def nearest(version: str) -> str:
    """The nearest version of the table to `version` (such as v1.33.2); the newest one for an empty text."""
    versions = table().versions
    numbers = version.removeprefix("v").split(".")[:2]
    try:
        minor = int(numbers[1])
    except (IndexError, ValueError):
        return versions[-1]
    return min(versions, key=lambda candidate: abs(int(candidate.split(".")[1]) - minor))


def removed(api_version: str, kind: str, version: str) -> str:
    """The apiVersion that serves this kind now (or "none") if `api_version` is not served; else empty."""
    served, groups = _kinds(version)
    group = api_version.rpartition("/")[0]
    if (
        (api_version, kind) in served
        or ("." in group and group not in groups)  # a group without a dot is always Kubernetes' own
        or kind.endswith("List")
    ):
        return ""
    successors = [api for api, name in served if name == kind]
    same_group = [api for api in successors if api.rpartition("/")[0] == group]
    return next(iter(sorted(same_group or successors)), "none")


def problems(body: Mapping[str, Any], version: str) -> Iterator[Problem]:
    """The problems that the API server of `version` would report. Custom kinds have none."""
    api, kind = str(body.get("apiVersion")), str(body.get("kind"))
    name = _kinds(version)[0].get((api, kind))
    if name:
        yield from _object(body, name, "", version)
        yield from texts.problems(body, kind)
        yield from validation.problems(body, kind)


def _object(value: Mapping[str, Any], name: str, path: str, version: str) -> Iterator[Problem]:
    fields = _fields(name, version)
    if fields is None:
        return
    for key, item in value.items():
        code = fields.get(key)
        place = f"{path}.{key}" if path else key
        if code is None:
            import difflib  # loaded only for a misspelt field

            near = difflib.get_close_matches(key, fields, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield Problem(place, f"is not a field of {name.rpartition('.')[2]}{hint}")
        elif item is not None:
            yield from _value(item, code.removeprefix("!"), place, version)
            members = enumerations.FIELDS.get((name.rpartition(".")[2], key))
            if members and isinstance(item, str) and item and item not in members:
                yield Problem(place, f"is {item!r}, but Kubernetes accepts only {', '.join(members)}")
    for key, code in fields.items():
        absent = code.startswith("!") and value.get(key) is None and code != "![*"
        if absent and (name.rpartition(".")[2], key) not in _DEFAULTED:
            yield Problem(f"{path}.{key}" if path else key, "is required but missing")


def _value(value: object, code: str, path: str, version: str) -> Iterator[Problem]:
    first, rest = code[:1], code[1:]
    if first == "*":
        return
    if first == "@":
        if isinstance(value, Mapping):
            yield from _object(value, rest, path, version)
        elif _fields(rest, version) is not None:
            yield _wrong(value, "a mapping", path)
    elif first in "[{":
        yield from _members(value, first, rest, path, version)
    else:
        yield from _scalar(value, first, path)


def _members(value: object, first: str, rest: str, path: str, version: str) -> Iterator[Problem]:
    """The members of a list (`[`) or of a mapping with free keys (`{`)."""
    kind = list if first == "[" else Mapping
    if not isinstance(value, kind):
        yield _wrong(value, "a list" if first == "[" else "a mapping", path)
        return
    if isinstance(value, Mapping):
        pairs = [(f"{path}.{key}", item) for key, item in value.items()]
    else:
        pairs = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    for place, item in pairs:
        if item is not None:
            yield from _value(item, rest, place, version)


def _scalar(value: object, code: str, path: str) -> Iterator[Problem]:
    if code == "q":
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            yield _wrong(value, "a quantity such as 128Mi or 0.5", path)
        elif isinstance(value, str) and not texts.QUANTITY.fullmatch(value):
            yield Problem(path, f"is {value!r}, which is not a quantity (128Mi, 500m, 2)")
    elif code == "x":
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            yield _wrong(value, "a whole number or text", path)
    elif code == "d":
        if not isinstance(value, str):
            yield _wrong(value, "base64 text", path)
        elif not texts.is_base64(value):
            yield Problem(path, "is not base64; write it with b64enc, or use stringData")
    else:
        types = _BASIC[code]
        is_whole = isinstance(value, float) and value.is_integer() and code == "i"
        if not is_whole and (not isinstance(value, types) or (isinstance(value, bool) and code != "b")):
            yield _wrong(value, _NAMES[code], path)


def _wrong(value: object, expected: str, path: str) -> Problem:
    kinds = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a mapping",
    }
    quote = (
        "; put the value in quotes" if expected == "text" and isinstance(value, (bool, int, float)) else ""
    )
    return Problem(path, f"is {kinds.get(type(value), 'something else')}, but must be {expected}{quote}")


def _fields(name: str, version: str) -> Mapping[str, str] | None:
    for versions, fields in table().types.get(name, ()):
        if version in versions:
            return fields
    return None
