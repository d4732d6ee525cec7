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


def made(objects: Objects, release_namespace: str) -> Iterator[tuple[str, str, str]]:
    """(kind, namespace, name) of every object that operators create for these objects."""
    for resource in objects:
        space = resource.namespace or release_namespace
        rule = MADE.get((resource.key[0], resource.kind))
        if rule is not None:
            yield from ((kind, space, name) for kind, name in _split(rule(resource)))
        elif resource.kind == "Ingress" and any(annotations_of(resource).get(key) for key in _ISSUERS):
            for entry in mappings(at(resource.body, "spec", "tls")):
                if isinstance(entry.get("secretName"), str):
                    yield "Secret", space, entry["secretName"]
        elif resource.kind == "Gateway" and any(annotations_of(resource).get(key) for key in _ISSUERS):
            for listener in mappings(at(resource.body, "spec", "listeners")):
                for entry in mappings(at(listener, "tls", "certificateRefs")):
                    yield "Secret", space, str(entry.get("name"))
        elif resource.kind == "Service":
            annotations = annotations_of(resource)
            yield from (
                ("Secret", space, str(annotations[key]))
                for key in _SERVING_CERTIFICATES
                if annotations.get(key)
            )
        if resource.kind == "StatefulSet" or rule is None:
            yield from (("PersistentVolumeClaim", space, name) for name in _claims(resource))
        if is_custom(resource):
            yield from ((kind, space, name) for kind, name in _written(resource))


def filled_later(resource: RenderedObject) -> bool:
    """Whether a controller adds the keys of a rendered Secret or ConfigMap later."""
    typed = resource.body.get("type") == "kubernetes.io/service-account-token"
    marks = (*annotations_of(resource), *mapping(at(resource.body, "metadata", "labels")))
    return typed or any(str(key).startswith(_FILLED) for key in marks)


def unknown(resource: RenderedObject) -> bool:
    """Whether a custom resource has an unknown operator, which may create the objects that it names."""
    return (
        is_custom(resource)
        and not resource.key[0].endswith(WATCHED)
        and (resource.key[0], resource.kind) not in MADE
    )


def _split(names: Iterator[object]) -> Iterator[tuple[str, str]]:
    """Kind and name: a name alone is that of a Secret, another kind is a prefix, as in `ConfigMap/name`."""
    for name in names:
        if isinstance(name, str) and name:
            kind, slash, bare_name = name.partition("/")
            yield (kind, bare_name) if slash else ("Secret", name)


def _written(resource: RenderedObject) -> Iterator[tuple[str, str]]:
    """Outputs that a custom resource names in common fields, such as writeConnectionSecretToRef."""
    spec = mapping(resource.body.get("spec"))
    for key in ("writeConnectionSecretToRef", "secretRef", "destination", "writeSecretToRef", "target"):
        name = mapping(spec.get(key)).get("name")
        if isinstance(name, str) and key != "secretRef":
            yield "Secret", name
    for key in ("secretName", "targetSecretName", "destinationSecretName", "outputSecretName"):
        if isinstance(spec.get(key), str):
            yield "Secret", spec[key]


def _claims(resource: RenderedObject) -> Iterator[str]:
    """Claims of a StatefulSet: <template>-<name>-<ordinal>."""
    if resource.kind != "StatefulSet":
        return
    replicas = at(resource.body, "spec", "replicas")
    count = replicas if isinstance(replicas, int) and not isinstance(replicas, bool) else 1
    start = at(resource.body, "spec", "ordinals", "start")
    first = start if isinstance(start, int) else 0
    for template in mappings(at(resource.body, "spec", "volumeClaimTemplates")):
        name = at(template, "metadata", "name")
        yield from (f"{name}-{resource.name}-{number}" for number in range(first, first + max(count, 1)))
