"""Finds every broken link of a rendering."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart import operators, references
from stagegate.chart.links.scene import BrokenLink, Scene
from stagegate.chart.links.traffic import ingress, network_policy, route, service, webhook
from stagegate.chart.links.workloads import autoscaler, budget, inside_pod, workload
from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import Rendered
from stagegate.chart.walk import BUILT_IN, is_test, mapping

_DEFAULT_ROLES = ("admin", "cluster-admin", "edit", "view")
_ROLE_OF_KUBERNETES = (
    "extension-apiserver-authentication-reader"  # in kube-system, like the roles with the prefix system:
)


def broken(rendered: Rendered) -> Iterator[BrokenLink]:
    """Every broken link of one rendering; test hooks are left out."""
    scene = Scene.of(rendered)
    for resource in scene.objects:
        of_kind = _CHECKS.get(resource.kind)
        if of_kind is not None:
            yield from of_kind(resource, scene)
        yield from _keys(resource, scene)
    for pod in scene.pods:
        if pod.owner.kind in BUILT_IN and not is_test(pod.owner):
            yield from inside_pod(pod)


def _binding(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    reference = mapping(resource.body.get("roleRef"))
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    built_in = name in (*_DEFAULT_ROLES, _ROLE_OF_KUBERNETES) or name.startswith("system:")
    is_local = kind == "Role" and not built_in and scene.space(resource) == scene.namespace
    if is_local and scene.find("Role", name, scene.namespace) is None:
        yield BrokenLink(
            resource, f"binds Role/{name}, which is not rendered", "The service accounts get no permission."
        )
    rendered = any(candidate.kind == "ClusterRole" and candidate.name == name for candidate in scene.objects)
    if kind == "ClusterRole" and not built_in and not rendered:
        yield BrokenLink(
            resource,
            f"binds ClusterRole/{name}, which is not rendered",
            "The service accounts get no permission, unless the ClusterRole already exists in the cluster.",
            "warning",
        )


def _keys(resource: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    """Keys that pods use and that the rendered Secret or ConfigMap does not have."""
    for reference in references.of(resource, scene.namespace):
        source = scene.find(reference.kind, reference.name, scene.space(resource)) if reference.keys else None
        if source is None or operators.filled_later(source):
            continue
        present = {
            str(key)
            for section in ("data", "stringData", "binaryData")
            for key in mapping(source.body.get(section))
        }
        for key in reference.keys:
            if present and key not in present:
                yield BrokenLink(
                    resource,
                    f"names the key {key} of {source.label} ({reference.place}), but "
                    f"{source.label} does not have this key",
                    "The container cannot start.",
                )


_CHECKS = {
    "Service": service,
    "Deployment": workload,
    "StatefulSet": workload,
    "DaemonSet": workload,
    "ReplicaSet": workload,
    "Ingress": ingress,
    "HorizontalPodAutoscaler": autoscaler,
    "VerticalPodAutoscaler": autoscaler,
    "ScaledObject": autoscaler,
    "HTTPRoute": route,
    "ValidatingWebhookConfiguration": webhook,
    "MutatingWebhookConfiguration": webhook,
    "PodDisruptionBudget": budget,
    "NetworkPolicy": network_policy,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
}
