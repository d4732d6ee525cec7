"""One Application as the API holds it: Git's spec, the status so far, and how both become a document."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.argocd import documents, shapes
from lab.argocd.cluster import Cluster, Health
from lab.argocd.faults import Faults
from lab.argocd.resolve import Resolved, Sources
from lab.argocd.store import Store
from lab.argocd.workloads import hook_of

Json = dict[str, Any]
REFRESH = "argocd.argoproj.io/refresh"


@dataclass(frozen=True)
class Surroundings:
    """What every application's controller shares. `annotation`: tracking by annotation (3.x), not label.

    `error_grace`: seconds for which only a refresh shows an error of a repository. `retry_pause`: seconds
    before the first retry of a failed sync. `clusters`: those that the API lists and generators find.
    """

    store: Store
    cluster: Cluster
    sources: Sources
    faults: Faults
    secrets: Callable[[], dict[str, dict[str, str]]]
    problem: Callable[[str], None]
    paused: threading.Event
    interval: float
    annotation: bool
    error_grace: float
    retry_pause: float
    clusters: Sequence[Json]


class Application:
    """State of one application. A caller that changes it holds `lock` and ends with `publish()`."""

    def __init__(self, name: str, manifest: Json, around: Surroundings) -> None:
        self.name, self.around, self.lock = name, around, threading.RLock()
        self.manifest, self.generation, self.accepted = manifest, 1, time.monotonic()
        self._identity = {"uid": str(uuid.uuid4()), "creationTimestamp": documents.stamp(time.time())}
        self.status: Json = {
            "health": {}, "summary": {},
            "sync": {"status": "", "comparedTo": {"source": {"repoURL": ""}, "destination": {}}},
        }  # fmt: skip
        self.operation: Json | None = None
        self.refresh: str | None = None
        self.compared: Json | None = None  # the spec of the last good comparison
        self.resolved: Resolved | None = None
        self.attempted: str | None = None
        self.progressing_until = 0.0
        self.finished = 0.0  # Unix time of the last operation's end
        self.live: tuple[Json, ...] = ()
        self.desired: tuple[Json, ...] = ()

    @property
    def namespace(self) -> str:
        return str(((self.manifest.get("spec") or {}).get("destination") or {}).get("namespace") or "default")

    def spec(self) -> Json:
        """The live spec: the one in Git, with changes made on the live Application."""
        faults = self.around.faults
        spec: Json = json.loads(json.dumps(self.manifest.get("spec") or {}))
        spec.setdefault("project", "default")
        override = faults.find(self.name, "helm-override")
        if override:
            spec = shapes.redirected(spec, override.mapping("parameters"))
        if faults.find(self.name, "auto-sync-off"):
            (spec.get("syncPolicy") or {}).pop("automated", None)
        merged = faults.find(self.name, "live-spec")
        return {**spec, **json.loads(json.dumps(merged.mapping("spec")))} if merged else spec

    def publish(self) -> None:
        """Serve the state as it is now."""
        declared = self.manifest.get("metadata") or {}
        with self.lock:
            notes = {
                **(declared.get("annotations") or {}),
                **({REFRESH: self.refresh} if self.refresh else {}),
            }
            metadata: Json = {
                "name": self.name, "namespace": str(declared.get("namespace") or "argocd"), **self._identity,
                "generation": self.generation,
                **({"labels": declared["labels"]} if declared.get("labels") else {}),
                **({"annotations": notes} if notes else {}),
                **{key: declared[key] for key in ("finalizers", "ownerReferences") if declared.get(key)},
            }  # fmt: skip
            document: Json = {"metadata": metadata, "spec": self.spec(), "status": {**self.status}}
            if self.around.annotation:
                document["status"]["resourceHealthSource"] = "appTree"
            if self.operation:
                document["operation"] = self.operation
            self.around.store.publish(self.name, document)

    def want(self, spec: Json, resolved: Resolved) -> None:
        """Store the result of a comparison as the target state."""
        self.resolved, self.compared = resolved, spec
        self.desired = tuple(
            documents.tracked(item, self.name, self.namespace, self.around.annotation)
            for item in resolved.objects
            if not hook_of(item)
        )

    def note_comparison(
        self, spec: Json, resolved: Resolved, started: float, conditions: Sequence[Json]
    ) -> None:
        """Publish the result of a comparison, with the time at which it began, as in Argo CD."""
        with self.lock:
            for field in ("sourceType", "sourceTypes", "conditions"):
                self.status.pop(field, None)
            resources = self.resources()
            synced = all(resource["status"] == "Synced" for resource in resources)
            self.status.update(
                reconciledAt=documents.stamp(started), resources=resources, controllerNamespace="argocd",
                sync=documents.sync_status("Synced" if synced else "OutOfSync", spec, resolved.revisions),
                summary=self.summary(), **documents.source_types(spec, resolved),
            )  # fmt: skip
            if conditions and not synced:
                self.status["conditions"] = list(conditions)
            self.set_health(resources)
            self.refresh = None
            self.publish()

    def note_failure(self, spec: Json, started: float, why: str) -> None:
        """Publish that the target state could not be loaded: sync Unknown, health as it was.

        The revision is then the text of the target; several sources have none.
        """
        text = why if why.startswith("failed to") else f"failed to resolve revision: {why}"
        condition = {"type": "ComparisonError", "message": f"Failed to load target state: {text}"}
        with self.lock:
            held = self.status.get("conditions") or [{}]
            since = (
                held[0].get("lastTransitionTime") if held[0].get("message") == condition["message"] else None
            )
            self.status["conditions"] = [
                {**condition, "lastTransitionTime": since or documents.stamp(started)}
            ]
            targets = () if spec.get("sources") else (str(spec["source"].get("targetRevision") or ""),)
            self.status["sync"] = documents.sync_status("Unknown", spec, targets)
            for resource in self.status.get("resources") or ():
                resource["status"] = "Unknown"
            self.status["reconciledAt"] = documents.stamp(started)
            self.compared, self.refresh = None, None
            self.publish()

    def summary(self) -> Json:
        images, urls = documents.images_of(self.live), documents.external_urls(self.live)
        return {**({"images": images} if images else {}), **({"externalURLs": urls} if urls else {})}

    # health

    def resources(self) -> list[Json]:
        """`status.resources` as of now."""
        return documents.resource_statuses(self.desired, self._drifted(), self.namespace, self._health())

    def _drifted(self) -> tuple[Json, ...]:
        """The live objects, with the change made by hand."""
        if not self.live or not self.around.faults.find(self.name, "drift"):
            return self.live
        *unchanged, last = self.live
        return (*unchanged, {**last, "changed": "by hand"})

    def look_at_health(self) -> None:
        """Publish when the health of anything changed; `reconciledAt` stays, as for any live change."""
        with self.lock:
            resources = self.resources()
            before = self.status.get("resources")
            self.status["resources"] = resources
            if self.set_health(resources) or resources != before:
                self.publish()

    def set_health(self, resources: Sequence[Json]) -> bool:
        """Update `status.health`; true when it changed. The transition time moves only with the status."""
        if any(resource["status"] == "OutOfSync" for resource in resources) and not self.live:
            status = "Missing"
        else:
            status = documents.worst(
                [resource["health"]["status"] for resource in resources if resource.get("health")]
            )
        if self.status.get("health", {}).get("status") == status:
            return False
        self.status["health"] = {"status": status, "lastTransitionTime": documents.stamp(time.time())}
        return True

    def _health(self) -> dict[str, Health]:
        """Health of the workloads, with the faults applied to the first of them."""
        health = self.around.cluster.health(self.name)
        first = next((key for key in health if not key.startswith("Job/")), None)
        if first is None:
            return health
        if time.monotonic() < self.progressing_until and health[first][0] == "Healthy":
            health[first] = (
                "Progressing",
                "Waiting for rollout to finish: observed deployment generation less",
            )
        for kind in ("suspended", "degraded", "progressing"):
            if self.around.faults.find(self.name, kind):
                return {**health, first: (kind.capitalize(), f"{kind} by the lab")}
        flapped = self._flap(health[first][0])
        return {**health, first: (flapped, "")} if flapped else health

    def _flap(self, actual: str) -> str | None:
        """The health that a fault sets, None where the real one applies."""
        fault = self.around.faults.find(self.name, "flap")
        if fault is None:
            return None
        if fault.started is None:
            synced = self.finished > fault.added and self.operation is None
            if actual != "Healthy" or not (fault.options.get("now") or synced):
                return None
            fault.started = time.monotonic()
        passed = time.monotonic() - fault.started - fault.number("good", 2.0)
        if passed < fault.number("pause", 1.0):
            return "Progressing" if passed >= 0 else None
        next_health = fault.text("then", "Healthy")
        if next_health == "Healthy":
            fault.release()
        return next_health
