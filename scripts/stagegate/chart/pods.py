"""The pods that a rendering makes, and which of them a selector selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rule import Rendered
from stagegate.chart.walk import at, containers, is_custom, is_test, mapping, mappings, pod_template

_GIVEN = (
    "statefulset.kubernetes.io/",
    "apps.kubernetes.io/",
    "batch.kubernetes.io/",
    "controller-revision-hash",
    "pod-template-hash",
    "controller-uid",
    "job-name",
)
WATCHED = (  # groups whose operators make no pods of what they watch
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
    """A pod as a workload makes it: who makes it, where it runs, its labels and its spec."""

    owner: RenderedObject
    namespace: str
    labels: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def ports(self) -> list[Mapping[str, Any]]:
        """The ports that its containers declare."""
        return [port for one in containers(self.spec) for port in mappings(one.get("ports"))]


def all_pods(rendered: Rendered) -> list[Pod]:
    """Pods of the workloads that Kubernetes runs, and those that custom resources describe like a Deployment."""
    found = []
    for one in rendered.objects or ():
        template = pod_template(one) or mapping(at(one.body, "spec", "template"))
        spec = mapping(template.get("spec"))
        if isinstance(spec.get("containers"), list):
            labels = mapping(at(template, "metadata", "labels"))
            found.append(
                Pod(owner=one, namespace=one.namespace or rendered.namespace, labels=labels, spec=spec)
            )
    return found


def selected(pods: list[Pod], selector: Mapping[str, Any], namespace: str) -> list[Pod]:
    """Pods that equal every label of a selector; labels that Kubernetes itself sets are taken as equal."""
    wanted = {k: str(v) for k, v in selector.items() if not str(k).startswith(_GIVEN)}
    return [
        pod
        for pod in pods
        if pod.namespace == namespace
        and all(str(pod.labels.get(key)) == value for key, value in wanted.items())
    ]


def matches(labels: Mapping[str, Any], selector: Mapping[str, Any]) -> bool:
    """Whether labels satisfy a selector with matchLabels and matchExpressions."""
    for key, value in mapping(selector.get("matchLabels")).items():
        if str(labels.get(key)) != str(value):
            return False
    for one in mappings(selector.get("matchExpressions")):
        present = one.get("key") in labels
        inside = present and labels[one["key"]] in (one.get("values") or ())
        verdict = {"In": inside, "NotIn": not inside, "Exists": present, "DoesNotExist": not present}
        if not verdict.get(str(one.get("operator")), True):
            return False
    return True


def others_make_pods(rendered: Rendered) -> bool:
    """Whether an operator may make pods of a rendered custom resource."""
    return any(
        is_custom(one) and (one.kind in _PODS_OF_WATCHED or not one.key[0].endswith(WATCHED))
        for one in rendered.objects or ()
    )


def labels_change(rendered: Rendered) -> bool:
    """Whether a rendered role allows pods to be changed: then labels appear at run time (leader election)."""
    return any(_grants(one, ("pods",), ("patch", "update")) for one in rendered.objects or ())


def makes_secrets(rendered: Rendered) -> bool:
    """Whether a rendered role allows Secrets to be made at run time."""
    return any(_grants(one, ("secrets",), ("create",)) for one in rendered.objects or ())


def _grants(one: RenderedObject, resources: tuple[str, ...], verbs: tuple[str, ...]) -> bool:
    if one.kind not in ("Role", "ClusterRole") or is_test(one):
        return False
    return any(
        {"*", *resources} & set(map(str, rule.get("resources") or ()))
        and {"*", *verbs} & set(map(str, rule.get("verbs") or ()))
        for rule in mappings(one.body.get("rules"))
    )
