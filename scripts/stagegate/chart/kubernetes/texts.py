"""Checks texts that the OpenAPI schema does not describe: names, labels, quantities, schedules, keys.

https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and .../labels/, and the Go package
k8s.io/apimachinery/pkg/util/validation.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stagegate.chart.kubernetes.enumerations import LISTED
from stagegate.patterns import pattern

QUANTITY = pattern(r"[+-]?(\d+\.?\d*|\.\d+)(([KMGTPE]i)|[numkMGTPE]|[eE][+-]?\d+)?")
LABEL_NAME = pattern(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SERVICE = pattern(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = pattern(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = pattern(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PORT_NAME = pattern(r"(?=.*[a-z])[a-z0-9]([a-z0-9]|-(?!-))*(?<!-)")
_ENV_NAME = pattern(r"[ -<>-~]+")
_KEY = pattern(r"[-._a-zA-Z0-9]+")
_CRON_FIELD = pattern(
    r"(\*|\?|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/\d+)?(,(\*|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/\d+)?)*"
)
_CRON_ALIASES = frozenset(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
_CRON_WORDS = frozenset(
    [
        "JAN",
        "FEB",
        "MAR",
        "APR",
        "MAY",
        "JUN",
        "JUL",
        "AUG",
        "SEP",
        "OCT",
        "NOV",
        "DEC",
        "SUN",
        "MON",
        "TUE",
        "WED",
        "THU",
        "FRI",
        "SAT",
    ]
)
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PATH_NAMED = frozenset(
    ("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "APIService", "PriorityLevelConfiguration")
)
_NAME_63 = frozenset(("Service", "Namespace", "StatefulSet"))
_NAME_52 = 52  # a CronJob's Jobs add eleven characters


def is_base64(text: str) -> bool:
    """Whether a text is base64 as Go reads it: line ends are ignored, padding is required."""
    try:
        base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


class Problem(NamedTuple):
    """A wrong field: its path, and the problem as the end of a sentence."""

    path: str
    text: str


def problems(body: Mapping[str, Any], kind: str) -> Iterator[Problem]:
    """Texts of one object that the API server refuses, with their paths."""
    for path, text in _all(body, kind):
        yield Problem(path, text)


def _all(body: Mapping[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if isinstance(name, str):
        why = name_problem(kind, name)
        if why:
            yield "metadata.name", f"is {name!r}: {why}"
    # A definition describes fields such as `labels` without having labels there.
    walked = {"metadata": metadata} if kind == "CustomResourceDefinition" else body
    yield from _walk(walked, "", kind)


def name_problem(kind: str, name: str) -> str:
    """Why an API server refuses this name for this kind, or nothing."""
    if kind in _PATH_NAMED:
        return "a name may not contain / or %" if "/" in name or "%" in name or name in (".", "..") else ""
    limit = 63 if kind in _NAME_63 else _NAME_52 if kind == "CronJob" else 253
    if len(name) > limit:
        return f"the name has {len(name)} characters, but the limit for a {kind} is {limit}"
    pattern = _SERVICE if kind == "Service" else LABEL_NAME if kind == "Namespace" else _SUBDOMAIN
    if not pattern.fullmatch(name):
        return "only lower-case letters, digits and - are allowed" + (
            ", with a letter first" if kind == "Service" else ""
        )
    return ""


def _walk(value: object, path: str, kind: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, f"{path}[{number}]", kind)
        return
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        place = f"{path}.{key}" if path else str(key)
        yield from _field(str(key), item, place, kind)
        if kind not in ("ConfigMap", "Secret") or place.startswith("metadata"):
            yield from _walk(item, place, kind)


def _field(key: str, item: object, place: str, kind: str) -> Iterator[tuple[str, str]]:
    """The texts of one field, by its name."""
    if key in ("labels", "matchLabels") or (key == "selector" and kind == "Service"):
        yield from _labels(item, place)
    elif key == "annotations" and place.endswith("metadata.annotations"):
        yield from _keys(item, place)
    elif key == "schedule" and kind == "CronJob" and isinstance(item, str):
        if why := _cron(item):
            yield place, f"is {item!r}: {why}"
    elif place in ("data", "stringData", "binaryData") and kind in ("ConfigMap", "Secret"):
        yield from _data_keys(item, place)
    elif isinstance(item, list):
        yield from _listed(key, item, place, kind)


def _listed(key: str, items: list[object], place: str, kind: str) -> Iterator[tuple[str, str]]:
    """The texts of one list, by its name."""
    if key == "ports":
        yield from _ports(items, place, kind)
    elif key == "env":
        yield from _environment(items, place)
    elif key == "matchExpressions":
        for number, requirement in enumerate(items):
            if (
                isinstance(requirement, Mapping)
                and requirement.get("operator") in ("In", "NotIn")
                and not requirement.get("values")
            ):
                yield (
                    f"{place}[{number}].values",
                    f"is required for the operator {requirement['operator']} but missing",
                )
    elif key in ("containers", "initContainers", "volumes"):
        for number, item in enumerate(items):
            name = item.get("name") if isinstance(item, Mapping) else None
            if isinstance(name, str) and (len(name) > 63 or not LABEL_NAME.fullmatch(name)):
                yield f"{place}[{number}].name", f"is {name!r}: up to 63 lower-case letters, digits and -"
    for item in items if key in LISTED else ():
        if isinstance(item, str) and item not in LISTED[key]:
            yield place, f"contains {item!r}, but Kubernetes accepts only {', '.join(LISTED[key])}"


def _labels(labels: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(labels, Mapping):
        return
    yield from _keys(labels, path)
    for key, value in labels.items():
        if isinstance(value, str) and value and (len(value) > 63 or not _QUALIFIED.fullmatch(value)):
            yield f"{path}.{key}", f"is {value!r}: up to 63 letters, digits and - _ . are allowed"


def _keys(mapping: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(mapping, Mapping):
        return
    for key in mapping:
        prefix, slash, name = str(key).rpartition("/")
        if (
            len(name) > 63
            or not _QUALIFIED.fullmatch(name)
            or (slash and not _SUBDOMAIN.fullmatch(prefix.lower()))
        ):
            yield f"{path}.{key}", "is not a valid key (prefix/name, up to 63 letters, digits and - _ .)"


def _data_keys(data: object, path: str) -> Iterator[tuple[str, str]]:
    for key in data if isinstance(data, Mapping) else ():
        if not _KEY.fullmatch(str(key)) or len(str(key)) > 253:
            yield f"{path}.{key}", "is not a valid key (letters, digits and - _ .)"


def _ports(ports: list[object], path: str, kind: str) -> Iterator[tuple[str, str]]:
    for number, port in enumerate(ports):
        if not isinstance(port, Mapping):
            continue
        name = port.get("name")
        named = isinstance(name, str) and name and "containerPort" in port
        if isinstance(name, str) and named and (len(name) > 15 or not _PORT_NAME.fullmatch(name)):
            yield f"{path}[{number}].name", f"is {name!r}: up to 15 lower-case letters, digits and -"
        if kind == "Service" and isinstance(name, str) and name and not LABEL_NAME.fullmatch(name):
            yield f"{path}[{number}].name", f"is {name!r}: only lower-case letters, digits and - are allowed"
        for key in ("port", "containerPort", "nodePort", "targetPort", "hostPort"):
            value = port.get(key)
            low = 0 if key in ("nodePort", "hostPort") else 1
            if isinstance(value, int) and not isinstance(value, bool) and not low <= value <= 65535:
                yield f"{path}[{number}].{key}", f"is {value}, but a port must be between 1 and 65535"
    nameless = any(isinstance(port, Mapping) and not port.get("name") for port in ports)
    if kind == "Service" and len(ports) > 1 and nameless:
        yield path, "has several ports, so each needs a name"


def _environment(env: list[object], path: str) -> Iterator[tuple[str, str]]:
    for number, variable in enumerate(env):
        name = variable.get("name") if isinstance(variable, Mapping) else None
        if isinstance(name, str) and not _ENV_NAME.fullmatch(name):
            yield f"{path}[{number}].name", f"is {name!r}, which is not a valid variable name"
        if isinstance(variable, Mapping) and variable.get("value") and variable.get("valueFrom"):
            yield f"{path}[{number}]", "has both value and valueFrom"


def _cron(schedule: str) -> str:
    if schedule in _CRON_ALIASES or schedule.startswith("@every "):
        return ""
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        return "write the time zone under spec.timeZone"
    fields = schedule.split()
    if len(fields) != len(_CRON_RANGES):
        return f"the schedule has {len(fields)} fields, but must have five"
    for field, (low, high) in zip(fields, _CRON_RANGES, strict=True):
        if not _CRON_FIELD.fullmatch(field):
            return f"{field!r} is not a valid field of a schedule"
        if unknown := next(
            (word for word in re.findall(r"[A-Za-z]+", field) if word.upper() not in _CRON_WORDS), ""
        ):
            return f"{unknown} is neither a month nor a day of the week"
        if any(int(start) > int(end) for start, end in re.findall(r"(\d+)-(\d+)", field)) or "/0" in field:
            return f"{field!r} never matches a date"
        for number in re.findall(r"(?<![/\w])\d+", field):
            if not low <= int(number) <= high:
                return f"{number} is not between {low} and {high}"
    return ""
