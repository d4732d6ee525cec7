"""Every link of one rendering that leads nowhere."""

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
_ROLE_OF_KUBERNETES = "extension-apiserver-authentication-reader"  # in kube-system, as those of `system:`


def broken(rendered: Rendered) -> Iterator[BrokenLink]:
    """Every broken link of one rendering; test hooks are left out."""
    scene = Scene.of(rendered)
    for one in scene.objects:
        of_kind = _CHECKS.get(one.kind)
        if of_kind is not None:
            yield from of_kind(one, scene)
        yield from _keys(one, scene)
    for pod in scene.pods:
        if pod.owner.kind in BUILT_IN and not is_test(pod.owner):
            yield from inside_pod(pod)


def _binding(one: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
    reference = mapping(one.body.get("roleRef"))
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    given = name in (*_DEFAULT_ROLES, _ROLE_OF_KUBERNETES) or name.startswith("system:")
    own = kind == "Role" and not given and scene.space(one) == scene.own
    if own and scene.find("Role", name, scene.own) is None:
        yield BrokenLink(one, f"binds Role/{name}, which is not rendered", "The accounts get no permission.")
    rendered = any(other.kind == "ClusterRole" and other.name == name for other in scene.objects)
    if kind == "ClusterRole" and not given and not rendered:
        yield BrokenLink(
            one,
            f"binds ClusterRole/{name}, which is not rendered",
            "The accounts get no permission, unless the cluster has it.",
            "warning",
        )


def _keys(one: RenderedObject, scene: Scene) -> Iterator[BrokenLink]:
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
                    f"names the key {key} of {source.label} ({reference.place}), which does not have that key",
                    "The container does not start.",
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
