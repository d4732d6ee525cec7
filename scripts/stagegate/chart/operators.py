"""Secrets, ConfigMaps and accounts that well-known operators create for the objects of a chart."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.chart.objects import RenderedObject
from stagegate.chart.operator_outputs import MADE
from stagegate.chart.pods import WATCHED
from stagegate.chart.rule import Objects
from stagegate.chart.walk import annotations_of, at, is_custom, mapping, mappings

_ISSUERS = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme")
_SERVING_CERTIFICATES = (
    "service.beta.openshift.io/serving-cert-secret-name",
    "service.alpha.openshift.io/serving-cert-secret-name",
)
_FILLED = (
    "cert-manager.io/",
    "service.beta.openshift.io/inject-cabundle",
    "service.alpha.openshift.io/inject-cabundle",
    "config.openshift.io/inject-trusted-cabundle",
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.de/",
    "secret-generator.v1.mittwald.de/",
)


def made(objects: Objects, own: str) -> Iterator[tuple[str, str, str]]:
    """(kind, namespace, name) of everything that operators make; `own` is the release's namespace."""
    for one in objects:
        space = one.namespace or own
        rule = MADE.get((one.key[0], one.kind))
        if rule is not None:
            yield from ((kind, space, name) for kind, name in _split(rule(one)))
        elif one.kind == "Ingress" and any(annotations_of(one).get(key) for key in _ISSUERS):
            for entry in mappings(at(one.body, "spec", "tls")):
                if isinstance(entry.get("secretName"), str):
                    yield "Secret", space, entry["secretName"]
        elif one.kind == "Gateway" and any(annotations_of(one).get(key) for key in _ISSUERS):
            for listener in mappings(at(one.body, "spec", "listeners")):
                for entry in mappings(at(listener, "tls", "certificateRefs")):
                    yield "Secret", space, str(entry.get("name"))
        elif one.kind == "Service":
            annotations = annotations_of(one)
            yield from (
                ("Secret", space, str(annotations[key]))
                for key in _SERVING_CERTIFICATES
                if annotations.get(key)
            )
        if one.kind == "StatefulSet" or rule is None:
            yield from (("PersistentVolumeClaim", space, name) for name in _claims(one))
        if is_custom(one):
            yield from ((kind, space, name) for kind, name in _written(one))


def filled_later(one: RenderedObject) -> bool:
    """Whether a rendered Secret or ConfigMap gets its keys from somebody else."""
    typed = one.body.get("type") == "kubernetes.io/service-account-token"
    marks = (*annotations_of(one), *mapping(at(one.body, "metadata", "labels")))
    return typed or any(str(key).startswith(_FILLED) for key in marks)


def unknown(one: RenderedObject) -> bool:
    """Whether the operator of a custom resource is not known here, so that it may make what the resource names."""
    return is_custom(one) and not one.key[0].endswith(WATCHED) and (one.key[0], one.kind) not in MADE


def _split(names: Iterator[object]) -> Iterator[tuple[str, str]]:
    """Names of Secrets; another kind stands in front, as `ConfigMap/name`."""
    for name in names:
        if isinstance(name, str) and name:
            kind, slash, rest = name.partition("/")
            yield (kind, rest) if slash else ("Secret", name)


def _written(one: RenderedObject) -> Iterator[tuple[str, str]]:
    """What a custom resource names as its output: writeConnectionSecretToRef, secretTemplate, target and such."""
    spec = mapping(one.body.get("spec"))
    for key in ("writeConnectionSecretToRef", "secretRef", "destination", "writeSecretToRef", "target"):
        name = mapping(spec.get(key)).get("name")
        if isinstance(name, str) and key != "secretRef":
            yield "Secret", name
    for key in ("secretName", "targetSecretName", "destinationSecretName", "outputSecretName"):
        if isinstance(spec.get(key), str):
            yield "Secret", spec[key]


def _claims(one: RenderedObject) -> Iterator[str]:
    """Claims of a StatefulSet: <template>-<name>-<ordinal>."""
    if one.kind != "StatefulSet":
        return
    replicas = at(one.body, "spec", "replicas")
    count = replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1
    start = at(one.body, "spec", "ordinals", "start")
    first = start if isinstance(start, int) else 0
    for template in mappings(at(one.body, "spec", "volumeClaimTemplates")):
        name = at(template, "metadata", "name")
        yield from (f"{name}-{one.name}-{number}" for number in range(first, first + max(count, 1)))
