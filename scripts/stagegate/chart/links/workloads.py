"""Broken links of workloads: selectors, volumes and probes of pods, autoscalers, disruption budgets."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.links.scene import BrokenLink, Scene, any_pod, doubt, label_text
from stagegate.chart.objects import RenderedObject
from stagegate.chart.pods import Pod, matches, selected
from stagegate.chart.walk import BUILT_IN, at, containers, mapping, mappings
from stagegate.model import Severity

_HANDLERS = ("httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def workload(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """A workload whose selector does not match its own pods, or whose headless Service does not exist."""
    selector = mapping(at(resource.body, "spec", "selector"))
    labels = mapping(at(resource.body, "spec", "template", "metadata", "labels"))
    if selector and not matches(labels, selector):
        yield BrokenLink(
            resource,
            f"has a selector that does not match the labels of its pods ({label_text(labels)})",
            "Kubernetes refuses the object.",
        )
    service = at(resource.body, "spec", "serviceName")
    if (
        resource.kind == "StatefulSet"
        and service
        and scene.find("Service", service, scene.space(resource)) is None
    ):
        yield BrokenLink(
            resource,
            f"has the serviceName {service}, but there is no such Service",
            "The pods of the StatefulSet get no names in DNS.",
            "error" if _has_service(resource, scene) else "warning",
        )


def _has_service(resource: RenderedObject, scene: Scene) -> bool:
    """Whether a Service selects the pods of a StatefulSet, so that its name is probably misspelt in `serviceName`.

    Services for metrics do not count. Without any Service, nothing uses the DNS names of the pods.
    """
    own_pods = [pod for pod in scene.pods if pod.owner is resource]
    return any(
        bool(selected(own_pods, mapping(at(service.body, "spec", "selector")), scene.space(service)))
        for service in scene.objects
        if service.kind == "Service"
        and at(service.body, "spec", "selector")
        and "metrics" not in service.name
    )


def autoscaler(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """An autoscaler whose target is not rendered."""
    target = mapping(at(resource.body, "spec", "scaleTargetRef") or at(resource.body, "spec", "targetRef"))
    kind, name = str(target.get("kind") or "Deployment"), target.get("name")
    if name and scene.find(kind, name, scene.space(resource)) is None:
        severity: Severity = "error" if kind in BUILT_IN else "warning"
        yield BrokenLink(
            resource,
            f"scales {kind}/{name}, which is not rendered",
            "The autoscaler scales no workload.",
            severity,
        )


def budget(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """A PodDisruptionBudget that selects no pod."""
    selector = mapping(at(resource.body, "spec", "selector"))
    if selector and not any_pod(selector, resource, scene):
        yield BrokenLink(
            resource,
            f"selects no pod of the chart ({label_text(mapping(selector.get('matchLabels')))})",
            "The disruption budget protects no pod when nodes are drained.",
            doubt(mapping(selector.get("matchLabels")), scene),
        )


def inside_pod(pod: Pod) -> Iterator[BrokenLink]:
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
                        f"mounts the volume {mount.get('name')} in container {name}, but the pod has "
                        "no volume of that name",
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
                    f"has a {key} for the port {port}, which container {name} does not have",
                    "The probe always fails.",
                )
