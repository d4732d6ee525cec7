"""references: a Secret, ConfigMap, claim or account that a pod names and nobody makes; the pod never starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rules.ground import (
    CheckFacts,
    Objects,
    Rendered,
    at,
    containers,
    finding,
    mappings,
    pod_specs,
)
from stagegate.model import Finding

_ALWAYS = frozenset({("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")})
_POSTGRES = (
    "-app",
    "-superuser",
    "-ca",
    "-server",
    "-replication",
)  # cloudnative-pg.io: Secrets of a Cluster
_ISSUERS = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer")  # cert-manager.io: annotated Ingress


class Reference(NamedTuple):
    """What is named, and where."""

    kind: str
    name: str
    place: str


def check(rendered: Rendered, ground: CheckFacts) -> Iterator[Finding]:
    """Names that are neither rendered, nor made by a known operator, nor listed as `external`."""
    objects = rendered.objects or ()
    own = rendered.namespace
    made = {(one.kind, one.namespace or own, one.name) for one in objects} | set(_operators(objects, own))
    for one in objects:
        for reference in dict.fromkeys(_named(one, own)):
            kind, name, place = reference
            label = f"{kind}/{name}"
            if (kind, one.namespace or own, name) in made or (kind, name) in _ALWAYS:
                continue
            if any(fnmatchcase(label, pattern) for pattern in ground.checks.external):
                continue
            yield finding(
                "references",
                one,
                rendered,
                ground,
                message=f"{one.label} names {label} ({place}), and the chart does not make it.",
                why="A pod waits for ever for what does not exist.",
                fix=f"Correct the name, render it, or list {label} under chart.checks.external (made elsewhere).",
            )


def _named(one: RenderedObject, own: str) -> Iterator[Reference]:
    for pod in pod_specs(one.body):
        for kind, name, place in _of_pod(pod):
            if isinstance(name, str) and name:
                yield Reference(kind, name, place)
    if one.kind == "Ingress":
        for entry in mappings(at(one.body, "spec", "tls")):
            if isinstance(entry.get("secretName"), str):
                yield Reference("Secret", entry["secretName"], "tls")
    if one.kind in ("RoleBinding", "ClusterRoleBinding"):
        for subject in mappings(one.body.get("subjects")):
            here = (subject.get("namespace") or own) == (one.namespace or own)
            if subject.get("kind") == "ServiceAccount" and here:
                yield Reference("ServiceAccount", str(subject.get("name")), "subjects")


def _of_pod(pod: Mapping[str, Any]) -> Iterator[tuple[str, object, str]]:
    yield "ServiceAccount", pod.get("serviceAccountName") or pod.get("serviceAccount"), "serviceAccountName"
    for entry in mappings(pod.get("imagePullSecrets")):
        yield "Secret", entry.get("name"), "imagePullSecrets"
    for volume in mappings(pod.get("volumes")):
        place = f"volume {volume.get('name')}"
        yield "PersistentVolumeClaim", at(volume, "persistentVolumeClaim", "claimName"), place
        yield from _required(volume, "secret", "Secret", "secretName", place)
        yield from _required(volume, "configMap", "ConfigMap", "name", place)
        for source in mappings(at(volume, "projected", "sources")):
            yield from _required(source, "secret", "Secret", "name", place)
            yield from _required(source, "configMap", "ConfigMap", "name", place)
    for container in containers(pod):
        name = container.get("name")
        for entry in mappings(container.get("envFrom")):
            yield from _required(entry, "secretRef", "Secret", "name", f"envFrom of {name}")
            yield from _required(entry, "configMapRef", "ConfigMap", "name", f"envFrom of {name}")
        for entry in mappings(container.get("env")):
            place = f"variable {entry.get('name')} of {name}"
            value = entry.get("valueFrom")
            yield from _required(value, "secretKeyRef", "Secret", "name", place)
            yield from _required(value, "configMapKeyRef", "ConfigMap", "name", place)


def _required(
    holder: object, key: str, kind: str, name: str, place: str
) -> Iterator[tuple[str, object, str]]:
    """What is `optional` may be absent."""
    if at(holder, key, "optional") is not True:
        yield kind, at(holder, key, name), place


def _operators(objects: Objects, own: str) -> Iterator[tuple[str, str, str]]:
    """Secrets that well-known operators make of what is rendered."""
    for one in objects:
        space = one.namespace or own
        group = one.key[0]
        names: list[object] = []
        if (group, one.kind) == ("postgresql.cnpg.io", "Cluster"):
            names = [one.name + ending for ending in _POSTGRES]
        elif (group, one.kind) == ("cert-manager.io", "Certificate"):
            names = [at(one.body, "spec", "secretName")]
        elif (group, one.kind) == ("external-secrets.io", "ExternalSecret"):
            names = [at(one.body, "spec", "target", "name") or one.name]
        elif (group, one.kind) == ("bitnami.com", "SealedSecret"):
            names = [one.name]
        elif one.kind == "Ingress" and any(at(one.body, "metadata", "annotations", key) for key in _ISSUERS):
            names = [entry.get("secretName") for entry in mappings(at(one.body, "spec", "tls"))]
        yield from (("Secret", space, name) for name in names if isinstance(name, str))
