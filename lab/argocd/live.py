"""Live objects as the API shows them: the resource tree, Pods, managed resources. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from lab.argocd import documents
from lab.argocd.podstates import ContainerState, PodState
from lab.argocd.workloads import Workload

Json = dict[str, Any]
Running = tuple[Workload, int, tuple[PodState, ...]]
GROUPS = {
    "Deployment": ("apps", "v1"),
    "StatefulSet": ("apps", "v1"),
    "DaemonSet": ("apps", "v1"),
    "Job": ("batch", "v1"),
}


def uid(*parts: str) -> str:
    """A stable uid for an object."""
    text = hashlib.sha256("/".join(parts).encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def tree(
    objects: Sequence[Json], namespace: str, running: Sequence[Running], resources: Sequence[Json]
) -> Json:
    """`resource-tree`: managed objects, ReplicaSets and Pods below them."""
    health = {
        (e.get("group", ""), e["kind"], e.get("namespace", ""), e["name"]): e.get("health") for e in resources
    }
    nodes = []
    for item in objects:
        identity = documents.identity(item, namespace)
        key = (identity.get("group", ""), identity["kind"], identity.get("namespace", ""), identity["name"])
        nodes.append(_node(identity, (), health.get(key)))
    for workload, revision, states in running:
        group, version = GROUPS.get(workload.kind, ("", "v1"))
        parent = {
            "group": group,
            "version": version,
            "kind": workload.kind,
            "namespace": workload.namespace,
            "name": workload.name,
        }
        for template in sorted({state.template for state in states}) if workload.kind == "Deployment" else ():
            replica = {**parent, "kind": "ReplicaSet", "name": f"{workload.name}-{template}"}
            newest = template == workload.template
            info = [{"name": "Revision", "value": f"Rev:{revision if newest else revision - 1}"}]
            nodes.append({**_node(replica, (parent,), {"status": "Healthy"}), "info": info})
        for state in states:
            nodes.append(_pod_node(workload, parent, state))
    return {"nodes": nodes}


def _node(identity: Json, parents: Sequence[Json], health: Json | None) -> Json:
    node_uid = uid(identity["kind"], str(identity.get("namespace", "")), identity["name"])
    node: Json = {**identity, "uid": node_uid, "resourceVersion": "1"}
    if parents:
        node["parentRefs"] = [
            {**parent, "uid": uid(parent["kind"], str(parent.get("namespace", "")), parent["name"])}
            for parent in parents
        ]
    return {**node, **({"health": health} if health else {})}


def _pod_node(workload: Workload, parent: Json, state: PodState) -> Json:
    if workload.kind == "Deployment":
        parent = {**parent, "kind": "ReplicaSet", "name": f"{workload.name}-{state.template}"}
    identity = {"version": "v1", "kind": "Pod", "namespace": state.namespace, "name": state.name}
    ready = sum(container.ready for container in state.containers)
    return {
        **_node(identity, (parent,), pod_health(state)),
        "createdAt": documents.stamp(state.created),
        "images": sorted({container.image for container in (*state.init, *state.containers)}),
        "info": [
            {"name": "Status Reason", "value": reason(state)},
            {"name": "Node", "value": "lab"},
            {"name": "Containers", "value": f"{ready}/{len(state.containers)}"},
        ],
        "networkingInfo": {"labels": dict(workload.labels)},
    }


def reason(state: PodState) -> str:
    """The word `kubectl get pods` shows."""
    if state.terminating:
        return "Terminating"
    waiting = [
        container.reason
        for container in (*state.init, *state.containers)
        if container.state == "waiting" and container.reason
    ]
    return waiting[0] if waiting else state.phase


def pod_health(state: PodState) -> Json:
    """Argo CD's health of a Pod."""
    bad = [
        container
        for container in (*state.init, *state.containers)
        if container.state == "waiting" and _is_error(container.reason)
    ]
    if bad:
        return {"status": "Degraded", "message": bad[0].message or bad[0].reason or ""}
    words = {"Succeeded": "Healthy", "Failed": "Degraded"}
    return {"status": words.get(state.phase) or ("Healthy" if state.ready else "Progressing")}


def _is_error(word: str | None) -> bool:
    return bool(word) and (str(word).startswith("Err") or str(word).endswith(("Error", "BackOff")))


def pod(workload: Workload, state: PodState) -> Json:
    """A live Pod with a kubelet's status: `imageID` is the running image, `image` the requested one."""
    metadata: Json = {
        "name": state.name, "namespace": state.namespace, "uid": uid("Pod", state.namespace, state.name),
        "labels": {**workload.labels, "pod-template-hash": state.template},
        "creationTimestamp": documents.stamp(state.created),
    }  # fmt: skip
    if state.terminating:
        metadata["deletionTimestamp"] = documents.stamp(state.created)
    specs = [json.loads(json.dumps(container.spec, default=str)) for container in workload.containers]
    init = [json.loads(json.dumps(container.spec, default=str)) for container in workload.init]
    word = "True" if state.ready else "False"
    status: Json = {
        "phase": state.phase, "podIP": "127.0.0.1", "startTime": documents.stamp(state.created),
        "conditions": [{"type": kind, "status": word} for kind in ("Ready", "ContainersReady")],
        "containerStatuses": [_container(container) for container in state.containers],
        **({"initContainerStatuses": [_container(container) for container in state.init]} if state.init else {}),
    }  # fmt: skip
    spec = {"containers": specs, **({"initContainers": init} if init else {}), "nodeName": "lab"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _container(container: ContainerState) -> Json:
    inner: Json = {}
    if container.state == "waiting":
        inner = {
            "reason": container.reason or "ContainerCreating",
            **({"message": container.message} if container.message else {}),
        }
    elif container.state == "terminated":
        inner = {"exitCode": container.exit_code or 0, "reason": container.reason or "Completed"}
    return {
        "name": container.name, "image": container.image, "imageID": container.digest or "",
        "ready": container.ready, "restartCount": container.restarts, "started": container.state == "running",
        "state": {container.state: inner},
    }  # fmt: skip


def managed(desired: Sequence[Json], live_items: Sequence[Json], namespace: str) -> Json:
    """`managed-resources`: target and live state of every object, Secrets hidden."""
    live = {_key(item, namespace): item for item in live_items}
    target = {_key(item, namespace): item for item in desired}
    items = []
    for key in sorted({*live, *target}):
        identity = documents.identity(target.get(key) or live[key], namespace)
        states = [
            json.dumps(documents.hidden(side[key])) if key in side else "null" for side in (target, live)
        ]
        items.append({
            "group": "", "namespace": "", **{k: v for k, v in identity.items() if k != "version"},
            "targetState": states[0], "liveState": states[1],
            "normalizedLiveState": states[1], "predictedLiveState": states[0] if key in live else "null",
            "modified": states[0] != states[1],
        })  # fmt: skip
    return {"items": items}


def _key(item: Json, namespace: str) -> tuple[str, ...]:
    identity = documents.identity(item, namespace)
    return (
        str(identity.get("group", "")),
        identity["kind"],
        str(identity.get("namespace", "")),
        identity["name"],
    )
