"""What a rule looks at: one rendering with its probes, and what is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from stagegate.chart.objects import RenderedObject
from stagegate.model import Finding, Severity
from stagegate.settings import ChartChecks

Objects = tuple[RenderedObject, ...]


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """What one Application renders, or the chart with its own values (`application` empty).

    `again` is the same rendered a second time, `probes` the same with one value replaced by
    `CheckFacts.probe`, by the
    value's name. `objects` is None where it does not render, and a probe is missing where that one does not.
    `values` are the values files it names inside the chart.
    """

    environment: str = ""
    application: str = ""
    namespace: str
    file: str = ""
    values: tuple[str, ...] = ()
    objects: Objects | None = None
    again: Objects | None = None
    probes: Mapping[str, Objects] = {}


class CheckFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The chart's folder, its packaged files, and what the settings say of chart and images."""

    path: str
    images: tuple[str, ...] = ()
    image_tag_value: str = ""
    checks: ChartChecks = ChartChecks()
    packaged: frozenset[str] = frozenset()
    probe: str = "v0.0.0-probe"

    def place(self, template: str) -> str:
        """Path of a template in the work tree; Chart.yaml where none is known."""
        inside = template.partition("/")[2]
        return f"{self.path}/{inside or 'Chart.yaml'}"


Rule = Callable[[Rendered, CheckFacts], Iterator[Finding]]


def finding(
    rule: str,
    one: RenderedObject,
    rendered: Rendered,
    ground: CheckFacts,
    *,
    message: str,
    why: str,
    fix: str,
    severity: Severity = "error",
) -> Finding:
    """A finding about one object, placed at its template."""
    return Finding(
        rule=rule,
        severity=severity,
        environment=rendered.environment,
        object=one.label,
        file=ground.place(one.template),
        message=message,
        why=why,
        fix=fix,
    )


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a body with its path, such as `spec.containers[0].image`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}[{number}]")


def pod_specs(value: object) -> Iterator[Mapping[str, Any]]:
    """Every mapping inside a body that has `containers`: pods, their templates, and those of operators."""
    if isinstance(value, Mapping):
        if isinstance(value.get("containers"), list):
            yield value
        for item in value.values():
            yield from pod_specs(item)
    elif isinstance(value, list):
        for item in value:
            yield from pod_specs(item)


def containers(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Containers of every kind, init containers first."""
    for key in ("initContainers", "containers", "ephemeralContainers"):
        yield from mappings(pod.get(key))


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The items of a list that are mappings; nothing for what is no list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def at(value: object, *keys: str) -> object:
    """What stands under nested keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def is_definition(one: RenderedObject) -> bool:
    """True for a CustomResourceDefinition: its schema talks of images and names without having any."""
    return one.kind == "CustomResourceDefinition"
