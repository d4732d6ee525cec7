"""duplicate: the same thing twice, where Kubernetes keeps one of them or refuses both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stagegate.chart.rules.ground import CheckFacts, Rendered, at, containers, finding, mappings, pod_specs
from stagegate.model import Finding

_WHY = "Lists of Kubernetes are merged by these keys: one of the two is lost, or the whole object is refused."


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """Objects of the same kind and name; volumes, mounts, variables, ports of a pod; ports of a Service."""
    objects = rendered.objects or ()
    own = rendered.namespace
    seen = Counter((one.key[0], one.kind, one.namespace or own, one.name) for one in objects)
    for one in objects:
        key = (one.key[0], one.kind, one.namespace or own, one.name)
        if seen[key] > 1:
            templates = sorted({ground.place(o.template) for o in objects if o.label == one.label})
            yield finding(
                "duplicate",
                one,
                rendered,
                ground,
                message=f"{one.label} is rendered {seen[key]} times, by {' and '.join(templates)}.",
                why="Only one of them reaches the cluster, and which one is up to the order.",
                fix="Give them different names, or render one.",
            )
            seen[key] = 0
        for what in _twice(one.kind, one.body):
            yield finding(
                "duplicate",
                one,
                rendered,
                ground,
                message=f"{one.label} has {what} twice.",
                why=_WHY,
                fix="Keep one; look at what helpers and values add.",
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
                f"the port {port.get('containerPort')}/{port.get('protocol') or 'TCP'} {name}"
                for port in mappings(one.get("ports"))
            )
    if kind == "Service":
        ports = list(mappings(at(body, "spec", "ports")))
        yield from _repeated(f"the port {port.get('port')}/{port.get('protocol') or 'TCP'}" for port in ports)
        yield from _repeated(f"the port name {port['name']}" for port in ports if port.get("name"))


def _repeated(names: Iterable[str]) -> Iterator[str]:
    yield from (name for name, count in Counter(names).items() if count > 1)
