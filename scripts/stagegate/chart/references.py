"""Every Secret, ConfigMap, claim and account that an object names, with the effect of its absence."""

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


def of(one: RenderedObject, own: str) -> Iterator[ObjectReference]:
    """References of an object to its own namespace; `own` is the release's. What is optional is left out."""
    for pod in pod_specs(one.body):
        yield from (each for each in _of_pod(pod) if isinstance(each.name, str) and each.name)
    if one.kind == "Ingress":
        for entry in mappings(at(one.body, "spec", "tls")):
            if isinstance(entry.get("secretName"), str) and entry["secretName"]:
                yield ObjectReference("Secret", entry["secretName"], "tls", "warning")
    if one.kind in ("RoleBinding", "ClusterRoleBinding"):
        for subject in mappings(one.body.get("subjects")):
            here = (subject.get("namespace") or own) == (one.namespace or own)
            if subject.get("kind") == "ServiceAccount" and here:
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
        parts = _sub_paths(pod, volume)
        yield from _required(
            volume, "secret", "Secret", "secretName", place, _items(volume.get("secret")) or parts
        )
        yield from _required(
            volume, "configMap", "ConfigMap", "name", place, _items(volume.get("configMap")) or parts
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
                wanted = at(entry.get("valueFrom"), key, "key")
                keys = (str(wanted),) if wanted else ()
                yield from _required(entry.get("valueFrom"), key, kind, "name", place, keys)


def _required(
    holder: object, key: str, kind: str, name: str, place: str, keys: tuple[str, ...] = ()
) -> Iterator[ObjectReference]:
    """What is `optional` may be absent."""
    if at(holder, key, "optional") is not True:
        yield ObjectReference(kind, at(holder, key, name), place, keys=keys)  # type: ignore[arg-type]


def _items(source: object) -> tuple[str, ...]:
    return tuple(str(item["key"]) for item in mappings(at(source, "items")) if item.get("key"))


def _sub_paths(pod: Mapping[str, Any], volume: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys that containers mount one by one: `subPath` of a volume without `items` is a key."""
    return tuple(
        str(mount["subPath"])
        for container in containers(pod)
        for mount in mappings(container.get("volumeMounts"))
        if mount.get("name") == volume.get("name")
        and mount.get("subPath")
        and "/" not in str(mount["subPath"])
    )
