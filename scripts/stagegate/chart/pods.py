"""Finds the pods of a rendering, and the pods that a selector selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import Rendered
from stagegate.chart.walk import at, containers, is_custom, is_test, mapping, mappings, pod_template

_SET_BY_KUBERNETES = (
    "statefulset.kubernetes.io/",
    "apps.kubernetes.io/",
    "batch.kubernetes.io/",
    "controller-revision-hash",
    "pod-template-hash",
    "controller-uid",
    "job-name",
)
WATCHED = (  # groups whose operators create no pods for their resources
    "monitoring.coreos.com",
    "cert-manager.io",
    "external-secrets.io",
    "networking.istio.io",
    "security.istio.io",
    "bitnami.com",
    "cilium.io",
    "traefik.io",
    "traefik.containo.us",
    "kyverno.io",
    "keda.sh",
    "autoscaling.k8s.io",
    "gateway.networking.k8s.io",
)
_PODS_OF_WATCHED = frozenset(("Prometheus", "PrometheusAgent", "Alertmanager", "ThanosRuler", "ScaledJob"))


class Pod(msgspec.Struct, frozen=True, kw_only=True):
    """A pod of a workload: the workload, its namespace, its labels and its spec."""

    owner: RenderedObject
    namespace: str
    labels: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def ports(self) -> list[Mapping[str, Any]]:
        """The ports that its containers declare."""
        return [port for container in containers(self.spec) for port in mappings(container.get("ports"))]


def all_pods(rendered: Rendered) -> list[Pod]:
    """Pods of built-in workloads, and of custom resources with a pod template like that of a Deployment."""
    pods = []
    for resource in rendered.objects or ():
        template = pod_template(resource) or mapping(at(resource.body, "spec", "template"))
        spec = mapping(template.get("spec"))
        if isinstance(spec.get("containers"), list):
            labels = mapping(at(template, "metadata", "labels"))
            pods.append(
                Pod(
                    owner=resource,
                    namespace=resource.namespace or rendered.namespace,
                    labels=labels,
                    spec=spec,
                )
            )
    return pods


def selected(pods: list[Pod], selector: Mapping[str, Any], namespace: str) -> list[Pod]:
    """Pods that have every label of a selector. Labels that Kubernetes itself sets always match."""
    required = {k: str(v) for k, v in selector.items() if not str(k).startswith(_SET_BY_KUBERNETES)}
    return [
        pod
        for pod in pods
        if pod.namespace == namespace
        and all(str(pod.labels.get(key)) == value for key, value in required.items())
    ]


def matches(labels: Mapping[str, Any], selector: Mapping[str, Any]) -> bool:
    """Whether labels satisfy a selector with matchLabels and matchExpressions."""
    for key, value in mapping(selector.get("matchLabels")).items():
        if str(labels.get(key)) != str(value):
            return False
    for requirement in mappings(selector.get("matchExpressions")):
        present = requirement.get("key") in labels
        inside = present and labels[requirement["key"]] in (requirement.get("values") or ())
        verdict = {"In": inside, "NotIn": not inside, "Exists": present, "DoesNotExist": not present}
        if not verdict.get(str(requirement.get("operator")), True):
            return False
    return True


def others_make_pods(rendered: Rendered) -> bool:
    """Whether an operator may create pods for a rendered custom resource."""
    return any(
        is_custom(resource) and (resource.kind in _PODS_OF_WATCHED or not resource.key[0].endswith(WATCHED))
        for resource in rendered.objects or ()
    )


def labels_change(rendered: Rendered) -> bool:
    """Whether a rendered role allows changes of pods, so that labels may be added at run time (leader election)."""
    return any(_grants(resource, ("pods",), ("patch", "update")) for resource in rendered.objects or ())


def makes_secrets(rendered: Rendered) -> bool:
    """Whether a rendered role allows the creation of Secrets."""
    return any(_grants(resource, ("secrets",), ("create",)) for resource in rendered.objects or ())


def _grants(resource: RenderedObject, resources: tuple[str, ...], verbs: tuple[str, ...]) -> bool:
    if resource.kind not in ("Role", "ClusterRole") or is_test(resource):
        return False
    return any(
        {"*", *resources} & set(map(str, rule.get("resources") or ()))
        and {"*", *verbs} & set(map(str, rule.get("verbs") or ()))
        for rule in mappings(resource.body.get("rules"))
    )
