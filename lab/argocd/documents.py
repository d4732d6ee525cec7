"""Application documents as Argo CD 2.13 to 3.1 serve them. Pure: values in, JSON out."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lab.argocd.resolve import Resolved
from lab.argocd.workloads import hook_of, namespace_of

Json = dict[str, Any]
NO_HEALTH = {  # kinds without a health check in Argo CD have no `health` at all
    "ConfigMap", "Secret", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    "NetworkPolicy", "PodDisruptionBudget", "Namespace", "ResourceQuota", "LimitRange", "ServiceMonitor",
}  # fmt: skip
ORDER = ("Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown")  # best first
CLUSTER_WIDE = {
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "PersistentVolume",
}

CLUSTER: Json = {
    "server": "https://kubernetes.default.svc",
    "name": "in-cluster",
    "config": {"tlsClientConfig": {"insecure": False}},
    "connectionState": {"status": "Successful", "message": "", "attemptedAt": "2026-01-01T00:00:00Z"},
    "serverVersion": "1.34",
    "info": {
        "connectionState": {"status": "Successful", "message": "", "attemptedAt": "2026-01-01T00:00:00Z"},
        "serverVersion": "1.34",
        "cacheInfo": {"resourcesCount": 412, "apisCount": 6},
        "applicationsCount": 2,
        "apiVersions": ["v1", "v1/ConfigMap", "v1/Service", "apps/v1", "apps/v1/Deployment", "batch/v1"],
    },
}


def cluster(name: str, server: str, labels: Mapping[str, str]) -> Json:
    """A registered cluster as the API lists it."""
    return {**CLUSTER, "name": name, "server": server, **({"labels": dict(labels)} if labels else {})}


def stamp(seconds: float) -> str:
    """RFC 3339 in whole seconds of UTC, as Kubernetes writes times."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def group_version(item: Json) -> tuple[str, str]:
    group, _, version = str(item.get("apiVersion") or "v1").rpartition("/")
    return group, version


def identity(item: Json, namespace: str) -> Json:
    """group (left out for core), version, kind, namespace, name of an object."""
    group, version = group_version(item)
    identified: Json = {"version": version, "kind": str(item["kind"]), "name": str(item["metadata"]["name"])}
    if item["kind"] not in CLUSTER_WIDE:
        identified["namespace"] = namespace_of(item, namespace)
    return {**({"group": group} if group else {}), **identified}


def sync_status(status: str, spec: Json, revisions: Sequence[str]) -> Json:
    """`status.sync`; one source has `revision`, several have `revisions` and an empty `source`."""
    compared: Json = {"destination": spec.get("destination") or {}}
    if spec.get("sources"):
        compared.update(source={"repoURL": ""}, sources=spec["sources"])
        sync: Json = {"revisions": list(revisions)} if revisions else {}
    else:
        compared["source"] = spec.get("source") or {}
        sync = {"revision": revisions[0]} if revisions else {}
    return {"status": status, "comparedTo": compared, **sync}


def source_types(spec: Json, resolved: Resolved) -> Json:
    return (
        {"sourceTypes": list(resolved.source_types)}
        if spec.get("sources")
        else {"sourceType": resolved.source_types[0]}
    )


def operation(spec: Json, revisions: Sequence[str]) -> Json:
    """`operation` as auto-sync sets it."""
    policy = spec.get("syncPolicy") or {}
    automated = policy.get("automated") or {}
    sync: Json = {"revisions": list(revisions)} if spec.get("sources") else {"revision": revisions[0]}
    if automated.get("prune"):
        sync["prune"] = True
    if policy.get("syncOptions"):
        sync["syncOptions"] = policy["syncOptions"]
    return {"sync": sync, "initiatedBy": {"automated": True}, "retry": policy.get("retry") or {"limit": 5}}


def sync_result(spec: Json, revisions: Sequence[str], resources: Sequence[Json]) -> Json:
    """`operationState.syncResult`; `revision` and `source` are there even when empty, as Go writes them."""
    if spec.get("sources"):
        where: Json = {
            "revision": "",
            "revisions": list(revisions),
            "source": {"repoURL": ""},
            "sources": spec["sources"],
        }
    else:
        where = {"revision": revisions[0], "source": spec.get("source") or {}}
    return {**({"resources": list(resources)} if resources else {}), **where}


def applied_resources(
    objects: Sequence[Json], live: Sequence[Json], namespace: str, phase: str
) -> list[Json]:
    """`syncResult.resources`: kubectl's message for each object."""
    before = {_key(identity(item, namespace)): item for item in live}
    results = []
    for item in objects:
        identified = identity(item, namespace)
        old = before.get(_key(identified))
        verb = "created" if old is None else "unchanged" if old == item else "configured"
        group = f".{identified['group']}" if identified.get("group") else ""
        label = f"{identified['kind'].lower()}{group}/{identified['name']}"
        entry = {
            "group": "",
            **identified,
            "status": "Synced",
            "message": f"{label} {verb}",
            "hookPhase": phase,
            "syncPhase": "Sync",
        }
        images = images_of([item])
        results.append({**entry, **({"images": images} if images else {})})
    return results


def _key(identified: Json) -> tuple[str, str, str, str]:
    return (
        str(identified.get("group", "")),
        identified["kind"],
        str(identified.get("namespace", "")),
        identified["name"],
    )


def history_entry(number: int, spec: Json, revisions: Sequence[str], started: float, finished: float) -> Json:
    entry: Json = {
        "id": number,
        "deployStartedAt": stamp(started),
        "deployedAt": stamp(finished),
        "initiatedBy": {"automated": True},
    }
    if spec.get("sources"):
        return {**entry, "revisions": list(revisions), "source": {"repoURL": ""}, "sources": spec["sources"]}
    return {**entry, "revision": revisions[0], "source": spec.get("source") or {}}


def resource_statuses(
    desired: Sequence[Json], live: Sequence[Json], namespace: str, health: Mapping[str, tuple[str, str]]
) -> list[Json]:
    """`status.resources`: every requested or existing object, in Argo CD's order."""
    live_items = {_key(identity(item, namespace)): item for item in live}
    desired_items = {_key(identity(item, namespace)): item for item in desired}
    statuses = []
    for key in sorted({*live_items, *desired_items}, key="/".join):
        item = desired_items.get(key) or live_items[key]
        if hook_of(item):
            continue
        entry = identity(item, namespace)
        entry["status"] = "Synced" if desired_items.get(key) == live_items.get(key) else "OutOfSync"
        if key not in desired_items:
            entry["requiresPruning"] = True
        status = object_health(item, namespace, health) if key in live_items else ("Missing", "")
        if status:
            entry["health"] = {"status": status[0], **({"message": status[1]} if status[1] else {})}
        statuses.append(entry)
    return statuses


def object_health(
    item: Json, namespace: str, health: Mapping[str, tuple[str, str]]
) -> tuple[str, str] | None:
    """Health of one live object; None for kinds Argo CD has no check for."""
    if item["kind"] in NO_HEALTH or item["kind"] == "CronJob":
        return None
    key = f"{item['kind']}/{namespace_of(item, namespace)}/{item['metadata']['name']}"
    return health.get(key) or ("Healthy", "")


def worst(statuses: Sequence[str]) -> str:
    """The application's health from its resources'; an application without any is Healthy."""
    return max(statuses, key=ORDER.index, default="Healthy")


def images_of(objects: Sequence[Json]) -> list[str]:
    """Image references as written, of every pod template, sorted and once each."""
    images: set[str] = set()
    for item in objects:
        spec = item.get("spec") if isinstance(item.get("spec"), dict) else {}
        spec = ((spec or {}).get("jobTemplate") or {}).get("spec") or spec or {}
        pod = spec if item["kind"] == "Pod" else (spec.get("template") or {}).get("spec") or {}
        for group in ("initContainers", "containers"):
            images.update(
                str(container["image"]) for container in pod.get(group) or () if container.get("image")
            )
    return sorted(images)


def external_urls(objects: Sequence[Json]) -> list[str]:
    """Addresses of the Ingresses, as Argo CD derives them."""
    urls: set[str] = set()
    for item in objects:
        if item["kind"] != "Ingress":
            continue
        secure = {host for entry in (item["spec"].get("tls") or ()) for host in entry.get("hosts") or ()}
        for rule in item["spec"].get("rules") or ():
            host = rule.get("host")
            paths: list[Json] = (rule.get("http") or {}).get("paths") or [{}]
            scheme = "https" if host in secure else "http"
            urls.update(
                f"{scheme}://{host}{str(path.get('path') or '').rstrip('/*')}" for path in paths if host
            )
    return sorted(urls)


def tracked(item: Json, application: str, namespace: str, annotation: bool) -> Json:
    """The object with Argo CD's tracking: an annotation (default since 3.0) or the instance label (2.x)."""
    copy: Json = json.loads(json.dumps(item))
    if copy["kind"] == "CustomResourceDefinition":
        return copy
    identified = identity(item, namespace)
    if annotation:
        place = f"{identified.get('namespace', '')}/{identified['name']}"
        mark = f"{application}:{identified.get('group', '')}/{identified['kind']}:{place}"
        copy["metadata"].setdefault("annotations", {})["argocd.argoproj.io/tracking-id"] = mark
    else:
        copy["metadata"].setdefault("labels", {})["app.kubernetes.io/instance"] = application
    return copy


def hidden(item: Json) -> Json:
    """A Secret as the API shows it: plus signs for every value."""
    if item.get("kind") != "Secret":
        return item
    copy: Json = json.loads(json.dumps(item))
    for field in ("data", "stringData"):
        if copy.get(field):
            copy[field] = dict.fromkeys(copy[field], "++++++++")
    return copy
