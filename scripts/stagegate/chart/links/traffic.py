"""Broken links of requests: Services, Ingresses, routes, webhooks and NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.links.scene import BrokenLink, Scene, any_pod, doubt, label_text
from stagegate.chart.objects import RenderedObject
from stagegate.chart.pods import selected
from stagegate.chart.walk import at, mapping, mappings


def service(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """A Service that selects no pod, or whose target port its pods do not have."""
    spec = mapping(resource.body.get("spec"))
    selector = mapping(spec.get("selector"))
    space = scene.space(resource)
    if not selector or spec.get("type") == "ExternalName" or space != scene.namespace or not scene.pods:
        return
    chosen = selected(scene.pods, selector, space)
    if not chosen:
        yield BrokenLink(
            resource,
            f"selects no pod of the chart ({label_text(selector)})",
            "The Service has no endpoints.",
            doubt(selector, scene),
        )
        return
    for port in mappings(spec.get("ports")):
        target = port.get("targetPort", port.get("port"))
        declared = [container_port for pod in chosen for container_port in pod.ports]
        if isinstance(target, str) and not target.isdigit():
            if not any(container_port.get("name") == target for container_port in declared):
                yield BrokenLink(
                    resource,
                    f"has the targetPort {target}, which no container of {chosen[0].owner.label} has",
                    "Requests to this port are refused.",
                )
        elif declared and all(pod.ports for pod in chosen):
            number = int(target) if str(target).isdigit() else 0
            if (
                number not in [container_port.get("containerPort") for container_port in declared]
                and not scene.foreign_pods
            ):
                yield BrokenLink(
                    resource,
                    f"has the targetPort {target}, which no container of {chosen[0].owner.label} declares",
                    "Requests to this port are refused, unless the program listens on the port "
                    "without declaring it.",
                    "warning",
                )


def ingress(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """An Ingress whose Service or port does not exist."""
    backends = [mapping(at(resource.body, "spec", "defaultBackend", "service"))]
    for rule in mappings(at(resource.body, "spec", "rules")):
        backends += [mapping(at(path, "backend", "service")) for path in mappings(at(rule, "http", "paths"))]
    for backend in backends:
        name, port = backend.get("name"), mapping(backend.get("port"))
        if not name or port.get("name") == "use-annotation":
            continue
        service = scene.find("Service", name, scene.space(resource))
        if service is None:
            yield BrokenLink(
                resource,
                f"leads to the Service {name}, which is not rendered",
                "Every request gets the status 503.",
            )
            continue
        ports = list(mappings(at(service.body, "spec", "ports")))
        key, target_port = ("name", port["name"]) if port.get("name") else ("port", port.get("number"))
        if target_port and ports and target_port not in [entry.get(key) for entry in ports]:
            yield BrokenLink(
                resource,
                f"leads to port {target_port}, which the Service {name} does not have",
                "Every request gets the status 503.",
            )


def route(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """An HTTPRoute whose Service or port does not exist."""
    rules = mappings(at(resource.body, "spec", "rules"))
    for backend in [reference for rule in rules for reference in mappings(rule.get("backendRefs"))]:
        name, port = backend.get("name"), backend.get("port")
        if backend.get("kind", "Service") != "Service" or backend.get("group") or backend.get("namespace"):
            continue
        target = scene.find("Service", name, scene.space(resource))
        ports = [entry.get("port") for entry in mappings(at(target.body, "spec", "ports"))] if target else []
        if target is None:
            missing = f"leads to the Service {name}, which is not rendered"
            yield BrokenLink(resource, missing, "Every request gets the status 500.")
        elif port and ports and port not in ports:
            missing = f"leads to port {port} of the Service {name}, but the Service does not have this port"
            yield BrokenLink(resource, missing, "Every request gets the status 500.")


def webhook(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """A webhook in the release's namespace whose Service does not exist."""
    for entry in mappings(resource.body.get("webhooks")):
        target = mapping(at(entry, "clientConfig", "service"))
        name, space = target.get("name"), str(target.get("namespace") or "")
        if name and space == scene.namespace and scene.find("Service", name, space) is None:
            yield BrokenLink(
                resource,
                f"calls the Service {name}, which is not rendered",
                "Without this Service the API server refuses the objects of the webhook, or accepts them "
                "unchecked.",
                "warning",
            )


def network_policy(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """A NetworkPolicy that selects no pod."""
    selector = mapping(at(resource.body, "spec", "podSelector"))
    if selector and not any_pod(selector, resource, scene):
        yield BrokenLink(
            resource,
            f"selects no pod of the chart ({label_text(mapping(selector.get('matchLabels')))})",
            "The policy protects no pod.",
            "warning",
        )
