"""Links between rendered objects that lead nowhere: what each object of a kind points at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stagegate.chart import operators, references
from stagegate.chart.objects import RenderedObject
from stagegate.chart.pods import Pod, all_pods, labels_change, matches, others_make_pods, selected
from stagegate.chart.rule import Rendered
from stagegate.chart.walk import BUILT_IN, at, containers, is_test, mapping, mappings
from stagegate.model import Severity

_DEFAULT_ROLES = ("admin", "cluster-admin", "edit", "view")
_HANDLERS = ("httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


class BrokenLink(NamedTuple):
    """A link that leads nowhere: the object it begins at, what is wrong, and what happens then."""

    object: RenderedObject
    text: str
    why: str
    severity: Severity = "error"


class _Scene(NamedTuple):
    """What links of one rendering may lead to."""

    own: str
    objects: tuple[RenderedObject, ...]
    pods: list[Pod]
    foreign_pods: bool
    moving_labels: bool

    def space(self, one: RenderedObject) -> str:
        return one.namespace or self.own

    def find(self, kind: str, name: object, space: str) -> RenderedObject | None:
        return next(
            (o for o in self.objects if o.kind == kind and o.name == name and self.space(o) == space), None
        )


def broken(rendered: Rendered) -> Iterator[BrokenLink]:
    """Every broken link of one rendering; test hooks are left out."""
    objects = tuple(one for one in rendered.objects or () if not is_test(one))
    scene = _Scene(
        own=rendered.namespace,
        objects=objects,
        pods=all_pods(rendered),
        foreign_pods=others_make_pods(rendered),
        moving_labels=labels_change(rendered),
    )
    for one in objects:
        of_kind = _CHECKS.get(one.kind)
        if of_kind is not None:
            yield from of_kind(one, scene)
        yield from _keys(one, scene)
    for pod in scene.pods:
        if pod.owner.kind in BUILT_IN and not is_test(pod.owner):
            yield from _pod(pod)


def _service(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    spec = mapping(one.body.get("spec"))
    selector = mapping(spec.get("selector"))
    space = scene.space(one)
    if not selector or spec.get("type") == "ExternalName" or space != scene.own or not scene.pods:
        return
    chosen = selected(scene.pods, selector, space)
    if not chosen:
        yield BrokenLink(
            one,
            f"selects no pod of the chart ({_labels(selector)})",
            "The Service has no endpoints.",
            _doubt(scene),
        )
        return
    for port in mappings(spec.get("ports")):
        target = port.get("targetPort", port.get("port"))
        declared = [other for pod in chosen for other in pod.ports]
        if isinstance(target, str) and not target.isdigit():
            if not any(other.get("name") == target for other in declared):
                yield BrokenLink(
                    one,
                    f"has the targetPort {target}, which no container of {chosen[0].owner.label} has",
                    "Requests to this port are refused.",
                )
        elif declared and all(pod.ports for pod in chosen):
            number = int(target) if str(target).isdigit() else 0
            if number not in [other.get("containerPort") for other in declared] and not scene.foreign_pods:
                yield BrokenLink(
                    one,
                    f"has the targetPort {target}, which no container of {chosen[0].owner.label} declares",
                    "Requests to this port are refused, unless the program listens on it all the same.",
                    "warning",
                )


def _workload(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    selector = mapping(at(one.body, "spec", "selector"))
    labels = mapping(at(one.body, "spec", "template", "metadata", "labels"))
    if selector and not matches(labels, selector):
        yield BrokenLink(
            one,
            f"has a selector that does not match the labels of its pods ({_labels(labels)})",
            "Kubernetes refuses the object.",
        )
    service = at(one.body, "spec", "serviceName")
    if one.kind == "StatefulSet" and service and scene.find("Service", service, scene.space(one)) is None:
        yield BrokenLink(
            one,
            f"has the serviceName {service}, and there is no such Service",
            "Its pods have no names in DNS.",
        )


def _ingress(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    backends = [mapping(at(one.body, "spec", "defaultBackend", "service"))]
    for rule in mappings(at(one.body, "spec", "rules")):
        backends += [mapping(at(path, "backend", "service")) for path in mappings(at(rule, "http", "paths"))]
    for backend in backends:
        name, port = backend.get("name"), mapping(backend.get("port"))
        if not name or port.get("name") == "use-annotation":
            continue
        service = scene.find("Service", name, scene.space(one))
        if service is None:
            yield BrokenLink(
                one, f"leads to the Service {name}, which is not rendered", "Every request is answered 503."
            )
            continue
        ports = list(mappings(at(service.body, "spec", "ports")))
        key, wanted = ("name", port["name"]) if port.get("name") else ("port", port.get("number"))
        if wanted and ports and wanted not in [entry.get(key) for entry in ports]:
            yield BrokenLink(
                one,
                f"leads to port {wanted} of the Service {name}, which has none",
                "Every request is answered 503.",
            )


def _autoscaler(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    target = mapping(at(one.body, "spec", "scaleTargetRef") or at(one.body, "spec", "targetRef"))
    kind, name = str(target.get("kind") or "Deployment"), target.get("name")
    if name and scene.find(kind, name, scene.space(one)) is None:
        severity: Severity = "error" if kind in BUILT_IN else "warning"
        yield BrokenLink(one, f"scales {kind}/{name}, which is not rendered", "Nothing is scaled.", severity)


def _budget(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    selector = mapping(at(one.body, "spec", "selector"))
    if selector and not _any_pod(selector, one, scene):
        yield BrokenLink(
            one,
            f"selects no pod of the chart ({_labels(mapping(selector.get('matchLabels')))})",
            "It protects nothing when nodes are drained.",
            _doubt(scene),
        )


def _network_policy(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    selector = mapping(at(one.body, "spec", "podSelector"))
    if selector and not _any_pod(selector, one, scene):
        yield BrokenLink(
            one,
            f"selects no pod of the chart ({_labels(mapping(selector.get('matchLabels')))})",
            "It protects nothing.",
            "warning",
        )


def _binding(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    reference = mapping(one.body.get("roleRef"))
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    if kind == "Role" and scene.space(one) == scene.own and scene.find("Role", name, scene.own) is None:
        yield BrokenLink(one, f"binds Role/{name}, which is not rendered", "The accounts get no permission.")
    given = name in _DEFAULT_ROLES or name.startswith("system:")
    rendered = any(other.kind == "ClusterRole" and other.name == name for other in scene.objects)
    if kind == "ClusterRole" and not given and not rendered:
        yield BrokenLink(
            one,
            f"binds ClusterRole/{name}, which is not rendered",
            "The accounts get no permission, unless the cluster has it.",
            "warning",
        )


def _keys(one: RenderedObject, scene: _Scene) -> Iterator[BrokenLink]:
    """Keys of rendered Secrets and ConfigMaps that pods name."""
    for reference in references.of(one, scene.own):
        source = scene.find(reference.kind, reference.name, scene.space(one)) if reference.keys else None
        if source is None or operators.filled_later(source):
            continue
        present = {
            str(key)
            for part in ("data", "stringData", "binaryData")
            for key in mapping(source.body.get(part))
        }
        for key in reference.keys:
            if present and key not in present:
                yield BrokenLink(
                    one,
                    f"names the key {key} of {source.label} ({reference.place}), which has none",
                    "The container does not start.",
                )


def _pod(pod: Pod) -> Iterator[BrokenLink]:
    """Mounts and probes inside one pod."""
    volumes = {volume.get("name") for volume in mappings(pod.spec.get("volumes"))}
    volumes |= {
        at(v, "metadata", "name") for v in mappings(at(pod.owner.body, "spec", "volumeClaimTemplates"))
    }
    for container in containers(pod.spec):
        name = container.get("name")
        for key in ("volumeMounts", "volumeDevices"):
            for mount in mappings(container.get(key)):
                if mount.get("name") not in volumes:
                    yield BrokenLink(
                        pod.owner,
                        f"mounts the volume {mount.get('name')} in container {name}, and has none of that name",
                        "Kubernetes refuses the pod.",
                    )
        ports = {port.get("name") for port in mappings(container.get("ports"))}
        handlers = {key: mapping(container.get(key)) for key in _PROBES}
        handlers |= {key: mapping(at(container, "lifecycle", key)) for key in ("postStart", "preStop")}
        for key, handler in handlers.items():
            port = next((at(handler, way, "port") for way in _HANDLERS if at(handler, way, "port")), None)
            if isinstance(port, str) and not port.isdigit() and port not in ports:
                yield BrokenLink(
                    pod.owner,
                    f"has a {key} for the port {port}, which container {name} has not",
                    "The probe always fails.",
                )


def _any_pod(selector: Mapping[str, Any], one: RenderedObject, scene: _Scene) -> bool:
    inside = [pod for pod in scene.pods if pod.namespace == scene.space(one)]
    return (
        not scene.pods
        or any(matches(pod.labels, selector) for pod in inside)
        or scene.space(one) != scene.own
    )


def _doubt(scene: _Scene) -> Severity:
    """An operator may make the pods, or a pod gets the label when it leads."""
    return "note" if scene.foreign_pods or scene.moving_labels else "error"


def _labels(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in labels.items()) or "no labels"


_CHECKS = {
    "Service": _service,
    "Deployment": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "ReplicaSet": _workload,
    "Ingress": _ingress,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "NetworkPolicy": _network_policy,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
