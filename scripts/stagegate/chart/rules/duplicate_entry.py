"""duplicate-entry: the same thing twice, where Kubernetes or Helm keeps one of them or refuses both."""

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
_WHY = "Kubernetes merges these lists by that key: one of the two is lost, or the whole object is refused."
_FIX = "Keep one of them, and check what helpers and values add."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """Objects of one kind and name that exist together; keys of a document; entries of a pod or Service."""
    for document in rendered.broken:
        if document.repeated:
            yield Finding(
                rule="duplicate-entry",
                severity="error",
                environment=rendered.environment,
                file=chart.place(document.template),
                message=f"{document.template or 'A document'} renders the key {document.repeated!r} twice.",
                why="Helm and Argo CD keep the last one, a strict reader refuses the document.",
                fix=_FIX,
            )
    yield from _objects(rendered, chart)
    twice = [(one, what) for one in rendered.objects or () for what in _twice(one.kind, one.body)]
    for several in by_cause(twice, lambda each: _CONTAINER.sub("", each[1])):
        one, what = several[0]
        labels = shown(list(dict.fromkeys(each.label for each, _ in several)))
        yield finding(
            "duplicate-entry",
            one,
            rendered,
            chart,
            message=f"{labels}: each has {_CONTAINER.sub('', what)} twice."
            if several[1:]
            else f"{labels} has {what} twice.",
            why=_WHY,
            fix=_FIX,
        )
    for one in rendered.objects or ():
        for what in _doubtful(one.body):
            yield finding(
                "duplicate-entry",
                one,
                rendered,
                chart,
                severity="warning",
                message=f"{one.label} has {what} under two names.",
                why="Kubernetes accepts it with a warning; one of the two names is usually a mistake.",
                fix=_FIX,
            )


def check_chart(chart: CheckFacts) -> Iterator[Finding]:
    """A key twice in one mapping of Chart.yaml or a values file."""
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
                why="Helm uses only the last one, although the first looks valid.",
                fix="Remove the one that is wrong.",
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
    """Objects with one key, of which at least two exist in the same phase."""
    groups: dict[tuple[str, ...], list[RenderedObject]] = defaultdict(list)
    for one in rendered.objects or ():
        if not at(one.body, "metadata", "generateName"):
            groups[one.key[0], one.kind, one.namespace or rendered.namespace, one.name].append(one)
    for several in groups.values():
        together = Counter(phase for one in several for phase in phases(one))
        count = max(together.values())
        if count > 1:
            one = several[0]
            # Two subcharts may bring the same definition along: Helm and Argo CD keep one of them.
            harmless = is_definition(one) and len({other.digest for other in several}) == 1
            templates = sorted({chart.place(other.template) for other in several})
            yield finding(
                "duplicate-entry",
                one,
                rendered,
                chart,
                severity="warning" if harmless else "error",
                message=f"{one.label} is rendered {count} times, by {' and '.join(templates)}.",
                why="Only one of them reaches the cluster, and the order decides which one.",
                fix="Give them different names, or render one.",
            )


def _twice(kind: str, body: Mapping[str, Any]) -> Iterator[str]:
    for pod in pod_specs(body):
        yield from _repeated(f"the volume {v.get('name')}" for v in mappings(pod.get("volumes")))
        yield from _repeated(f"the container {c.get('name')}" for c in containers(pod))
        for one in containers(pod):
            name = f"in container {one.get('name')}"
            mounts, env = mappings(one.get("volumeMounts")), mappings(one.get("env"))
            yield from _repeated(f"the mount path {mount.get('mountPath')} {name}" for mount in mounts)
            yield from _repeated(f"the variable {variable.get('name')} {name}" for variable in env)
            yield from _repeated(
                f"the port name {p['name']} {name}" for p in mappings(one.get("ports")) if p.get("name")
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
        for one in containers(pod):
            numbers = (
                f"the port {port.get('containerPort')}/{port.get('protocol') or 'TCP'} in {one.get('name')}"
                for port in mappings(one.get("ports"))
            )
            yield from _repeated(numbers)


def _repeated(names: Iterable[str]) -> Iterator[str]:
    yield from (name for name, count in Counter(names).items() if count > 1)


RULE = ChartRule(
    id="duplicate-entry",
    severity="error",
    about="Nothing is defined twice: objects of one phase, keys, variables, mounts, volumes, ports",
    why=_WHY,
    fix=_FIX,
    check=check,
    check_chart=check_chart,
    bad=Twin(files={"values.yaml": "replicas: 2\nreplicas: 5\n"}),
    good=Twin(files={"values.yaml": "replicas: 2\n"}),
)
