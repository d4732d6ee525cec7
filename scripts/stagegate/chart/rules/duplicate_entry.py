"""duplicate-entry: no name occurs twice where Kubernetes or Helm drops one or refuses both."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, by_cause, finding, shown
from stagegate.chart.walk import at, containers, is_definition, mappings, phases, pod_specs
from stagegate.model import Finding

_CONTAINER = re.compile(r" in container \S+$")
_WHY = (
    "Kubernetes merges the entries of this list by name, so one of the two entries is lost, or the API "
    "server refuses the object."
)
_FIX = "Keep one of the two entries, and check the additions of helpers and values."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Repeated objects, keys of documents, and entries of pods, Services and Ingresses."""
    for document in rendered.broken:
        if document.repeated:
            yield Finding(
                rule="duplicate-entry",
                severity="error",
                environment=rendered.environment,
                file=chart.place(document.template),
                message=f"{document.template or 'A document'} renders the key {document.repeated!r} twice.",
                why="Helm and Argo CD use the last of the two values, but strict readers refuse the "
                "document.",
                fix=_FIX,
            )
    yield from _objects(rendered, chart)
    twice = [
        (resource, description)
        for resource in rendered.objects or ()
        for description in _twice(resource.kind, resource.body)
    ]
    for several in by_cause(twice, lambda entry: _CONTAINER.sub("", entry[1])):
        resource, description = several[0]
        labels = shown(list(dict.fromkeys(item.label for item, _ in several)))
        yield finding(
            "duplicate-entry",
            resource,
            rendered,
            chart,
            message=f"{labels}: each has {_CONTAINER.sub('', description)} twice."
            if several[1:]
            else f"{labels} has {description} twice.",
            why=_WHY,
            fix=_FIX,
        )
    for resource in rendered.objects or ():
        for description in _doubtful(resource.body):
            yield finding(
                "duplicate-entry",
                resource,
                rendered,
                chart,
                severity="warning",
                message=f"{resource.label} has {description} under two names.",
                why="Kubernetes accepts such an entry with a warning; one of the two names is usually a mistake.",
                fix=_FIX,
            )


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """Repeated keys in Chart.yaml and values files."""
    for name, text in chart.texts.items():
        try:
            node = yaml_1_1.compose(text)
        except (yaml.YAMLError, ValueError):
            continue
        for key, line in _keys(node, ""):
            yield Finding(
                rule="duplicate-entry",
                severity="error",
                file=f"{chart.path}/{name}",
                line=line,
                message=f"{name} has the key {key} twice.",
                why="Helm uses only the last of the two values, although the first looks valid.",
                fix="Remove the wrong one of the two keys.",
            )


def _keys(node: yaml.Node | None, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, value in node.value:
            place = f"{path}.{key.value}" if path else str(key.value)
            if isinstance(key, yaml.ScalarNode) and names[key.value] > 1 and key.value != "<<":
                names[key.value] = 0
                yield place, key.start_mark.line + 1
            yield from _keys(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _keys(item, f"{path}[{number}]")


def _objects(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Objects with the same key, of which at least two exist in the same phase."""
    groups: dict[tuple[str, ...], list[RenderedObject]] = defaultdict(list)
    for resource in rendered.objects or ():
        if not at(resource.body, "metadata", "generateName"):
            groups[
                resource.key[0], resource.kind, resource.namespace or rendered.namespace, resource.name
            ].append(resource)
    for several in groups.values():
        together = Counter(phase for resource in several for phase in phases(resource))
        count = max(together.values())
        if count > 1:
            resource = several[0]
            # Two subcharts may contain the same definition: Helm and Argo CD keep one of them.
            harmless = is_definition(resource) and len({duplicate.digest for duplicate in several}) == 1
            templates = sorted({chart.place(duplicate.template) for duplicate in several})
            yield finding(
                "duplicate-entry",
                resource,
                rendered,
                chart,
                severity="warning" if harmless else "error",
                message=f"{resource.label} is rendered {count} times, by {' and '.join(templates)}.",
                why="Only one of these objects reaches the cluster, and the order of the documents "
                "decides which one.",
                fix="Give the objects different names, or render only one of them.",
            )


def _twice(kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    for pod in pod_specs(body):
        yield from _repeated(f"the volume {v.get('name')}" for v in mappings(pod.get("volumes")))
        yield from _repeated(f"the container {c.get('name')}" for c in containers(pod))
        for container in containers(pod):
            name = f"in container {container.get('name')}"
            mounts, env = mappings(container.get("volumeMounts")), mappings(container.get("env"))
            yield from _repeated(f"the mount path {mount.get('mountPath')} {name}" for mount in mounts)
            yield from _repeated(f"the variable {variable.get('name')} {name}" for variable in env)
            yield from _repeated(
                f"the port name {p['name']} {name}" for p in mappings(container.get("ports")) if p.get("name")
            )
    if kind == "Service":
        ports = list(mappings(at(body, "spec", "ports")))
        yield from _repeated(f"the port {port.get('port')}/{port.get('protocol') or 'TCP'}" for port in ports)
        yield from _repeated(f"the port name {port['name']}" for port in ports if port.get("name"))
    if kind == "Ingress":
        for rule in mappings(at(body, "spec", "rules")):
            host = rule.get("host") or "any host"
            paths = mappings(at(rule, "http", "paths"))
            yield from _repeated(f"the path {p.get('path')} ({p.get('pathType')}) of {host}" for p in paths)


def _doubtful(body: Mapping[str, Any]) -> Iterator[str]:
    for pod in pod_specs(body):
        for container in containers(pod):
            numbers = (
                f"the port {port.get('containerPort')}/{port.get('protocol') or 'TCP'} in {container.get('name')}"
                for port in mappings(container.get("ports"))
            )
            yield from _repeated(numbers)


def _repeated(names: Iterable[str]) -> Iterator[str]:
    yield from (name for name, count in Counter(names).items() if count > 1)


RULE = ChartRule(
    id="duplicate-entry",
    severity="error",
    about="Nothing is defined twice: objects of the same hook phase, keys, variables, mounts, volumes, ports",
    why=_WHY,
    fix=_FIX,
    check=check,
    check_chart=check_chart,
    bad=Twin(files={"values.yaml": "replicas: 2\nreplicas: 5\n"}),
    good=Twin(files={"values.yaml": "replicas: 2\n"}),
)
