"""Finds every Secret, ConfigMap, claim and account that an object names, and the effect if it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stagegate.chart.objects import RenderedObject
from stagegate.chart.walk import at, containers, mappings, pod_specs
from stagegate.model import Severity


class ObjectReference(NamedTuple):
    """A referenced object, its place, and the effect if it does not exist. `keys` are entries it must have."""

    kind: str
    name: str
    place: str
    severity: Severity = "error"
    keys: tuple[str, ...] = ()


def of(resource: RenderedObject, release_namespace: str) -> Iterator[ObjectReference]:
    """References of an object within its namespace. Optional references are left out."""
    for pod in pod_specs(resource.body):
        yield from (
            reference for reference in _of_pod(pod) if isinstance(reference.name, str) and reference.name
        )
    if resource.kind == "Ingress":
        for entry in mappings(at(resource.body, "spec", "tls")):
            if isinstance(entry.get("secretName"), str) and entry["secretName"]:
                yield ObjectReference("Secret", entry["secretName"], "tls", "warning")
    if resource.kind in ("RoleBinding", "ClusterRoleBinding"):
        for subject in mappings(resource.body.get("subjects")):
            same_namespace = (subject.get("namespace") or release_namespace) == (
                resource.namespace or release_namespace
            )
            if subject.get("kind") == "ServiceAccount" and same_namespace:
                yield ObjectReference("ServiceAccount", str(subject.get("name")), "subjects", "warning")


def _of_pod(pod: Mapping[str, Any]) -> Iterator[ObjectReference]:
    account = pod.get("serviceAccountName") or pod.get("serviceAccount")
    yield ObjectReference("ServiceAccount", account, "serviceAccountName")  # type: ignore[arg-type]
    for entry in mappings(pod.get("imagePullSecrets")):
        yield ObjectReference("Secret", entry.get("name"), "imagePullSecrets", "warning")  # type: ignore[arg-type]
    for volume in mappings(pod.get("volumes")):
        place = f"volume {volume.get('name')}"
        claim = at(volume, "persistentVolumeClaim", "claimName")
        yield ObjectReference("PersistentVolumeClaim", claim, place)  # type: ignore[arg-type]
        sub_paths = _sub_paths(pod, volume)
        yield from _required(
            volume, "secret", "Secret", "secretName", place, _items(volume.get("secret")) or sub_paths
        )
        yield from _required(
            volume, "configMap", "ConfigMap", "name", place, _items(volume.get("configMap")) or sub_paths
        )
        for source in mappings(at(volume, "projected", "sources")):
            for key, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                yield from _required(source, key, kind, "name", place, _items(source.get(key)))
    for container in containers(pod):
        name = container.get("name")
        for entry in mappings(container.get("envFrom")):
            yield from _required(entry, "secretRef", "Secret", "name", f"envFrom of {name}")
            yield from _required(entry, "configMapRef", "ConfigMap", "name", f"envFrom of {name}")
        for entry in mappings(container.get("env")):
            place = f"variable {entry.get('name')} of {name}"
            for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                entry_key = at(entry.get("valueFrom"), key, "key")
                keys = (str(entry_key),) if entry_key else ()
                yield from _required(entry.get("valueFrom"), key, kind, "name", place, keys)


def _required(
    holder: object, key: str, kind: str, name: str, place: str, keys: tuple[str, ...] = ()
) -> Iterator[ObjectReference]:
    """The reference in a field, unless it is `optional`."""
    if at(holder, key, "optional") is not True:
        yield ObjectReference(kind, at(holder, key, name), place, keys=keys)  # type: ignore[arg-type]


def _items(source: object) -> tuple[str, ...]:
    return tuple(str(item["key"]) for item in mappings(at(source, "items")) if item.get("key"))


def _sub_paths(pod: Mapping[str, Any], volume: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys that containers mount alone: for a volume without `items`, `subPath` is a key."""
    return tuple(
        str(mount["subPath"])
        for container in containers(pod)
        for mount in mappings(container.get("volumeMounts"))
        if mount.get("name") == volume.get("name")
        and mount.get("subPath")
        and "/" not in str(mount["subPath"])
    )
