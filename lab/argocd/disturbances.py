"""Faults that change Argo CD's document of an Application, with the messages of a real Argo CD. Pure.

Each is compared with recordings of a real Argo CD (tests/cases/argo/recordings).
"""

from __future__ import annotations

import functools
import re
from typing import Any

from lab.argocd.documents import ORDER, stamp
from lab.argocd.faults import Fault, Faults

Json = dict[str, Any]
KINDS = ("object-health", "repo-server-down", "invalid-spec", "large", "application-set")
_NO_ANSWER = (
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unavailable "
    'desc = connection error: desc = "transport: Error while dialing: dial tcp argocd-repo-server:8081: '
    'connect: connection refused"'
)


def disturbed(document: Json, faults: Faults) -> Json:
    """A document (its own copy) with the disturbances in force."""
    name = str(document["metadata"]["name"])
    for kind in KINDS:
        fault = faults.find(name, kind)
        if fault is not None and document.get("status"):
            _CHANGES[kind](document, fault)
    return document


def _object_health(document: Json, fault: Fault) -> None:
    """One more object that counts for the health: an autoscaler, a Rollout, a Canary, an ExternalSecret."""
    word, message = fault.text("status", "Degraded"), fault.text("message", "")
    status = document["status"]
    item = {
        "kind": fault.text("object", "HorizontalPodAutoscaler"),
        "name": "more",
        "status": "Synced",
        "version": "v1",
    }
    status.setdefault("resources", []).append({**item, "health": {"status": word, "message": message}})
    before = (status.get("health") or {}).get("status", "Healthy")
    if ORDER.index(word) > ORDER.index(before):
        status["health"] = {**(status.get("health") or {}), "status": word}


def _not_compared(document: Json, kind: str, message: str) -> None:
    """After a failed comparison the revision is the target's text, several have none, and nothing is known."""
    sync, spec = document["status"].setdefault("sync", {}), document["spec"]
    sync["status"] = "Unknown"
    sync.pop("revisions", None)
    if spec.get("source"):
        sync["revision"] = str(spec["source"].get("targetRevision") or "")
    for item in document["status"].get("resources") or ():
        item["status"] = "Unknown"
    document["status"]["conditions"] = [{"type": kind, "message": message}]


def _repo_server_down(document: Json, fault: Fault) -> None:
    _not_compared(document, "ComparisonError", fault.text("message", _NO_ANSWER))


def _invalid_spec(document: Json, fault: Fault) -> None:
    message = "application destination is not permitted in project 'default'"
    _not_compared(document, "InvalidSpecError", fault.text("message", message))
    status = document["status"]
    status["health"] = {"status": "Unknown"}
    status["reconciledAt"] = min(status.get("reconciledAt") or "", stamp(fault.added))


def _large(document: Json, fault: Fault) -> None:
    """`managedFields` as large as they get, so that a document is a megabyte."""
    fields = _fields(int(fault.number("bytes", 1_000_000)))
    document["metadata"]["managedFields"] = [{"manager": "argocd", "fieldsV1": fields}]


@functools.cache
def _fields(room: int) -> Json:
    """Fields of about this many bytes."""
    return {f"f:field-{number}": {"f:value": {}} for number in range(room // 34)}


def _application_set(document: Json, fault: Fault) -> None:
    owner = {
        "kind": "ApplicationSet",
        "name": fault.text("name", "shops"),
        "apiVersion": "argoproj.io/v1alpha1",
    }
    document["metadata"]["ownerReferences"] = [owner]


_CHANGES = {
    "object-health": _object_health,
    "repo-server-down": _repo_server_down,
    "invalid-spec": _invalid_spec,
    "large": _large,
    "application-set": _application_set,
}
OLD_POD = "shop-of-before"


def with_old_pod(tree: Json, fault: Fault) -> Json:
    """A resource tree in which a pod of another image still runs."""
    node = {
        "version": "v1", "kind": "Pod", "namespace": "default", "name": OLD_POD, "uid": OLD_POD,
        "images": [fault.text("image", "")], "health": {"status": "Healthy"},
        "info": [{"name": "Status Reason", "value": "Running"}],
    }  # fmt: skip
    return {**tree, "nodes": [*tree.get("nodes", ()), node]}


def old_pod(fault: Fault) -> Json:
    """That pod, alive."""
    image = fault.text("image", "")
    digest = fault.text("digest", "")
    ran = {"name": "app", "imageID": f"{re.sub(r'[:@][^/]*$', '', image)}@{digest}", "ready": True}
    return {
        "metadata": {"name": OLD_POD, "namespace": "default"},
        "spec": {"containers": [{"name": "app", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [ran]},
    }


def with_image_id(pod: Json, fault: Fault) -> Json:
    """A live pod whose runtime reports `image_id` (`{digest}`: the running one), not a repository's digest."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        match = re.search(r"sha256:[0-9a-f]{64}", str(status.get("imageID")))
        status["imageID"] = fault.text("image_id", "").replace("{digest}", match[0] if match else "")
    return pod
