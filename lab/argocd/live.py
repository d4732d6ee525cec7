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
        who = documents.identity(item, namespace)
        key = (who.get("group", ""), who["kind"], who.get("namespace", ""), who["name"])
        nodes.append(_node(who, (), health.get(key)))
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


def _node(who: Json, parents: Sequence[Json], health: Json | None) -> Json:
    own = uid(who["kind"], str(who.get("namespace", "")), who["name"])
    node: Json = {**who, "uid": own, "resourceVersion": "1"}
    if parents:
        node["parentRefs"] = [
            {**each, "uid": uid(each["kind"], str(each.get("namespace", "")), each["name"])}
            for each in parents
        ]
    return {**node, **({"health": health} if health else {})}


def _pod_node(workload: Workload, parent: Json, state: PodState) -> Json:
    if workload.kind == "Deployment":
        parent = {**parent, "kind": "ReplicaSet", "name": f"{workload.name}-{state.template}"}
    who = {"version": "v1", "kind": "Pod", "namespace": state.namespace, "name": state.name}
    ready = sum(each.ready for each in state.containers)
    return {
        **_node(who, (parent,), pod_health(state)),
        "createdAt": documents.stamp(state.created),
        "images": sorted({each.image for each in (*state.init, *state.containers)}),
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
        each.reason for each in (*state.init, *state.containers) if each.state == "waiting" and each.reason
    ]
    return waiting[0] if waiting else state.phase


def pod_health(state: PodState) -> Json:
    """Argo CD's health of a Pod."""
    bad = [
        each
        for each in (*state.init, *state.containers)
        if each.state == "waiting" and _is_error(each.reason)
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
    specs = [json.loads(json.dumps(each.spec, default=str)) for each in workload.containers]
    init = [json.loads(json.dumps(each.spec, default=str)) for each in workload.init]
    word = "True" if state.ready else "False"
    status: Json = {
        "phase": state.phase, "podIP": "127.0.0.1", "startTime": documents.stamp(state.created),
        "conditions": [{"type": kind, "status": word} for kind in ("Ready", "ContainersReady")],
        "containerStatuses": [_container(each) for each in state.containers],
        **({"initContainerStatuses": [_container(each) for each in state.init]} if state.init else {}),
    }  # fmt: skip
    spec = {"containers": specs, **({"initContainers": init} if init else {}), "nodeName": "lab"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def _container(each: ContainerState) -> Json:
    inner: Json = {}
    if each.state == "waiting":
        inner = {
            "reason": each.reason or "ContainerCreating",
            **({"message": each.message} if each.message else {}),
        }
    elif each.state == "terminated":
        inner = {"exitCode": each.exit_code or 0, "reason": each.reason or "Completed"}
    return {
        "name": each.name, "image": each.image, "imageID": each.digest or "", "ready": each.ready,
        "restartCount": each.restarts, "started": each.state == "running", "state": {each.state: inner},
    }  # fmt: skip


def managed(desired: Sequence[Json], there: Sequence[Json], namespace: str) -> Json:
    """`managed-resources`: target and live state of every object, Secrets hidden."""
    live = {_key(item, namespace): item for item in there}
    target = {_key(item, namespace): item for item in desired}
    items = []
    for key in sorted({*live, *target}):
        who = documents.identity(target.get(key) or live[key], namespace)
        states = [
            json.dumps(documents.hidden(side[key])) if key in side else "null" for side in (target, live)
        ]
        items.append({
            "group": "", "namespace": "", **{k: v for k, v in who.items() if k != "version"},
            "targetState": states[0], "liveState": states[1],
            "normalizedLiveState": states[1], "predictedLiveState": states[0] if key in live else "null",
            "modified": states[0] != states[1],
        })  # fmt: skip
    return {"items": items}


def _key(item: Json, namespace: str) -> tuple[str, ...]:
    who = documents.identity(item, namespace)
    return str(who.get("group", "")), who["kind"], str(who.get("namespace", "")), who["name"]
