"""One application's controller: compare, sync, watch its health, and say so step by step as Argo CD does."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.argocd import documents
from lab.argocd.charts import CannotRender
from lab.argocd.cluster import Cluster
from lab.argocd.faults import Faults
from lab.argocd.resolve import Resolved, Sources
from lab.argocd.store import Store
from lab.argocd.workloads import Workload, hook_of, stored_values, workloads

Json = dict[str, Any]
REFRESH = "argocd.argoproj.io/refresh"
HOOK_TIMEOUT = 60.0


@dataclass(frozen=True)
class Surroundings:
    """What every application's controller shares."""

    store: Store
    cluster: Cluster
    sources: Sources
    faults: Faults
    secrets: Callable[[], dict[str, dict[str, str]]]
    paused: threading.Event
    interval: float
    annotation: bool  # tracking by annotation (Argo CD 3) or label (2)


class Reconciler:
    """Follows one Application manifest and writes its document, in one thread but for `accept`."""

    def __init__(self, name: str, manifest: Json, around: Surroundings) -> None:
        self.name, self._around = name, around
        self._lock, self._wake, self._stop = threading.RLock(), threading.Event(), threading.Event()
        self._manifest, self._generation = manifest, 1
        self._accepted = time.monotonic()
        self._identity = {"uid": str(uuid.uuid4()), "creationTimestamp": documents.stamp(time.time())}
        self._status: Json = {
            "health": {}, "summary": {},
            "sync": {"status": "", "comparedTo": {"source": {"repoURL": ""}, "destination": {}}},
        }  # fmt: skip
        self._operation: Json | None = None
        self._refresh: str | None = None
        self._compared: Json | None = None
        self._resolved: Resolved | None = None
        self._failed_look = 0.0
        self._attempted: str | None = None
        self._progressing_until = 0.0
        self.live: tuple[Json, ...] = ()
        self.desired: tuple[Json, ...] = ()
        self._publish()
        self._thread = threading.Thread(target=self._run, name=f"app-{name}", daemon=True)
        self._thread.start()

    # what others ask of it

    def accept(self, manifest: Json) -> None:
        """The app-of-apps applied a changed manifest: the spec is new, the status still of the old."""
        with self._lock:
            if manifest != self._manifest:
                self._manifest, self._generation = manifest, self._generation + 1
                self._accepted = time.monotonic()
                self._publish()

    def refresh(self, kind: str) -> None:
        """Ask for one comparison; the annotation stays on the document until it was made."""
        with self._lock:
            self._refresh = kind
            self._publish()
        self._wake.set()

    def nudge(self) -> None:
        """Something about the pods or faults changed: look soon."""
        self._wake.set()

    def publish(self) -> None:
        """Serve the document again: something outside of it changed how it looks."""
        with self._lock:
            self._publish()

    @property
    def namespace(self) -> str:
        return str((self.spec().get("destination") or {}).get("namespace") or "default")

    def spec(self) -> Json:
        """The live spec: Git's, with what somebody changed on the live Application."""
        spec: Json = json.loads(json.dumps(self._manifest.get("spec") or {}))
        spec.setdefault("project", "default")
        fault = self._around.faults.find(self.name, "helm-override")
        if fault:
            spec = documents.redirected(spec, fault.mapping("parameters"))
        if self._around.faults.find(self.name, "auto-sync-off"):
            (spec.get("syncPolicy") or {}).pop("automated", None)
        merged = self._around.faults.find(self.name, "live-spec")
        return {**spec, **json.loads(json.dumps(merged.mapping("spec")))} if merged else spec

    def close(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(10)

    # the loop

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._around.interval)
            self._wake.clear()
            if (
                self._stop.is_set()
                or self._around.paused.is_set()
                or self._around.faults.find(self.name, "stale")
            ):
                continue
            if self._due():
                self._compare()
            elif self._compared is not None:
                self._look_at_health()

    def _due(self) -> bool:
        if self._refresh:
            return True
        if time.monotonic() - self._accepted < self._around.interval / 2:
            return False  # the old revision is "Synced, Healthy" first
        if self._compared != self.spec() or self._around.faults.find(self.name, "comparison-error"):
            return time.monotonic() - self._failed_look > 1.0
        if self._status["sync"]["status"] == "OutOfSync" and self._may_sync(self.spec()):
            return True
        try:
            return self._around.sources.revisions(self.spec()) != (
                self._resolved.revisions if self._resolved else ()
            )
        except CannotRender:
            return time.monotonic() - self._failed_look > 1.0

    def _compare(self) -> None:
        """One reconciliation: resolve, render, compare, publish; a sync when it is due."""
        started, spec, refresh = time.time(), self.spec(), self._refresh
        fault = self._around.faults.find(self.name, "comparison-error")
        try:
            if fault:
                raise CannotRender(
                    fault.text(
                        "message",
                        "failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = helm template failed",
                    )
                )
            revisions = self._around.sources.revisions(spec, cached=refresh is None)
            known = self._resolved
            if known is None or self._compared != spec or known.revisions != revisions or refresh == "hard":
                known = self._around.sources.render(self.name, spec, revisions, fresh=refresh == "hard")
        except CannotRender as error:
            self._failed_look = time.monotonic()
            with self._lock:
                self._cannot_compare(spec, started, str(error))
            return
        with self._lock:
            self._resolved, self._compared = known, spec
            self.desired = tuple(
                documents.tracked(item, self.name, self.namespace, self._around.annotation)
                for item in known.objects if not hook_of(item)
            )  # fmt: skip
            self._note_comparison(spec, known, started)
        if self._status["sync"]["status"] == "OutOfSync" and self._may_sync(spec):
            self._sync(spec, known)

    def _note_comparison(self, spec: Json, known: Resolved, started: float) -> None:
        """Publish what a comparison found; its time is when it began, as in Argo CD."""
        self._status = {
            k: v for k, v in self._status.items() if k not in ("sourceType", "sourceTypes", "conditions")
        }
        resources = self._resources()
        synced = all(each["status"] == "Synced" for each in resources)
        self._status.update(
            reconciledAt=documents.stamp(started), resources=resources, controllerNamespace="argocd",
            sync=documents.sync_status("Synced" if synced else "OutOfSync", spec, known.revisions),
            summary=self._summary(), **documents.source_types(spec, known),
        )  # fmt: skip
        conditions = self._sync_error(spec, known) if not synced else []
        if conditions:
            self._status["conditions"] = conditions
        self._set_health(resources)
        self._refresh = None
        self._publish()

    def _cannot_compare(self, spec: Json, started: float, why: str) -> None:
        text = why if why.startswith("failed to") else f"failed to resolve revision: {why}"
        condition = {"type": "ComparisonError", "message": f"Failed to load target state: {text}"}
        held = [
            c
            for c in self._status.get("conditions") or ()
            if c["type"] == "ComparisonError" and c["message"] == condition["message"]
        ]
        self._status["conditions"] = held or [{**condition, "lastTransitionTime": documents.stamp(started)}]
        self._status["sync"] = documents.sync_status(
            "Unknown", spec, documents.revisions_of(self._status["sync"])
        )
        self._status["reconciledAt"] = documents.stamp(started)
        self._compared, self._refresh = None, None
        self._publish()

    def _summary(self) -> Json:
        images, urls = documents.images_of(self.live), documents.external_urls(self.live)
        return {**({"images": images} if images else {}), **({"externalURLs": urls} if urls else {})}

    # health

    def _resources(self) -> list[Json]:
        return documents.resource_statuses(self.desired, self.live, self.namespace, self._workload_health())

    def _workload_health(self) -> dict[str, tuple[str, str]]:
        """Health of the workloads, with the faults laid over the first of them."""
        found = self._around.cluster.health(self.name)
        first = next((key for key in found if not key.startswith("Job/")), None)
        if first is None:
            return found
        if time.monotonic() < self._progressing_until and found[first][0] == "Healthy":
            found[first] = (
                "Progressing",
                "Waiting for rollout to finish: observed deployment generation less than desired generation",
            )
        for kind in ("suspended", "degraded", "progressing"):
            if self._around.faults.find(self.name, kind):
                return {**found, first: (kind.capitalize(), f"{kind} by the lab")}
        flapped = self._flap(found[first][0])
        return {**found, first: (flapped, "")} if flapped else found

    def _flap(self, actual: str) -> str | None:
        fault = self._around.faults.find(self.name, "flap")
        if fault is None:
            return None
        if fault.started is None:
            finished = self._status.get("operationState", {}).get("finishedAt", "")
            ready = fault.options.get("now") or (
                finished >= documents.stamp(fault.added) and self._operation is None
            )
            if actual != "Healthy" or not ready:
                return None
            fault.started = time.monotonic()
        passed = time.monotonic() - fault.started - fault.number("good", 2.0)
        if passed < 0:
            return None
        if passed < fault.number("pause", 1.0):
            return "Progressing"
        then = fault.text("then", "Healthy")
        if then == "Healthy":
            fault.release()
        return then

    def _set_health(self, resources: Sequence[Json]) -> bool:
        """Update `status.health`; true when it changed. The transition time moves only with the status."""
        if any(each["status"] == "OutOfSync" for each in resources) and not self.live:
            status = "Missing"
        else:
            status = documents.worst([each["health"]["status"] for each in resources if each.get("health")])
        if self._status.get("health", {}).get("status") == status:
            return False
        self._status["health"] = {"status": status, "lastTransitionTime": documents.stamp(time.time())}
        return True

    def _look_at_health(self) -> None:
        with self._lock:
            resources = self._resources()
            before = self._status.get("resources")
            self._status["resources"] = resources
            if self._set_health(resources) or resources != before:
                self._publish()

    # sync

    def _may_sync(self, spec: Json) -> bool:
        automated = (spec.get("syncPolicy") or {}).get("automated")
        if (
            automated is None
            or automated.get("enabled") is False
            or self._around.faults.find(self.name, "sync-window")
        ):
            return False
        return self._attempted != self._attempt_key(spec)

    def _attempt_key(self, spec: Json) -> str:
        revisions = self._resolved.revisions if self._resolved else ()
        return json.dumps([revisions, spec.get("source"), spec.get("sources")], sort_keys=True)

    def _sync_error(self, spec: Json, known: Resolved) -> list[Json]:
        """The condition auto-sync leaves when it will not try the same revision again."""
        state = self._status.get("operationState") or {}
        if state.get("phase") not in ("Failed", "Error") or self._attempted != self._attempt_key(spec):
            return []
        text = f"Failed last sync attempt to [{' '.join(known.revisions)}]: {state.get('message')}"
        return [{"type": "SyncError", "message": text, "lastTransitionTime": state["finishedAt"]}]

    def _sync(self, spec: Json, known: Resolved) -> None:
        """One automated operation, with every document Argo CD shows on the way."""
        self._attempted = self._attempt_key(spec)
        operation, started = documents.operation(spec, known.revisions), time.time()
        with self._lock:
            self._operation = operation
            self._publish()
        self._pause()
        with self._lock:
            self._status["operationState"] = {
                "operation": operation, "phase": "Running", "message": "", "startedAt": documents.stamp(started),
                "syncResult": documents.sync_result(spec, known.revisions, ()),
            }  # fmt: skip
            self._publish()
        before, self._pod_values = (
            self.live,
            stored_values(known.objects, self.namespace, self._around.secrets()),
        )
        failure = self._fault_of_sync() or self._run_hooks(known, "PreSync", "Sync")
        if failure is None:
            self._apply(spec, known)
            failure = self._run_hooks(known, "PostSync")
        resources = documents.applied_resources(
            self.desired, before, self.namespace, "Failed" if failure else "Running"
        )
        self._next_second()
        self._finish(spec, known, started, failure, resources)
        self._pause()
        if failure is None:
            self._progressing_until = time.monotonic() + self._around.interval
        with self._lock:
            self._note_comparison(spec, known, time.time())

    def _fault_of_sync(self) -> str | None:
        fault = self._around.faults.take(self.name, "sync-failed")
        text = 'one or more objects failed to apply, reason: Deployment.apps "app" is invalid: spec.selector: Invalid value: field is immutable (retried 5 times).'
        return fault.text("message", text) if fault else None

    def _apply(self, spec: Json, known: Resolved) -> None:
        """Objects to the cluster; the comparison after it says Synced, with the old health."""
        wanted = [each for each in workloads(known.objects, self.namespace) if each.hook is None]
        self._around.cluster.apply(self.name, wanted, self._pod_values)
        with self._lock:
            self.live = self.desired
            self._status["sync"] = documents.sync_status("Synced", spec, known.revisions)
            self._status["summary"] = self._summary()
            for each in self._status.get("resources") or ():
                each["status"] = "Synced"
            self._publish()

    def _run_hooks(self, known: Resolved, *phases: str) -> str | None:
        """Run hook Jobs of these phases; the operation's message when one fails."""
        jobs: list[Workload] = [
            each for each in workloads(known.objects, self.namespace) if each.hook in phases
        ]
        for job in jobs:
            if not self._around.cluster.run_job(self.name, job, self._pod_values, self._stop, HOOK_TIMEOUT):
                return "one or more synchronization tasks completed unsuccessfully, reason: Job has reached the specified backoff limit"
        return None

    def _finish(
        self, spec: Json, known: Resolved, started: float, failure: str | None, resources: list[Json]
    ) -> None:
        """The operation is over: health and reconciledAt on the document are still from before it."""
        finished = time.time()
        with self._lock:
            self._operation = None
            self._status["operationState"].update(
                phase="Failed" if failure else "Succeeded", finishedAt=documents.stamp(finished),
                message=failure or "successfully synced (all tasks run)",
                syncResult=documents.sync_result(spec, known.revisions, resources),
            )  # fmt: skip
            if failure is None:
                history = self._status.setdefault("history", [])
                number = history[-1]["id"] + 1 if history else 0
                history.append(documents.history_entry(number, spec, known.revisions, started, finished))
                del history[:-10]
            self._publish()

    def _pause(self) -> None:
        self._stop.wait(self._around.interval / 2)

    def _next_second(self) -> None:
        """Let `finishedAt` be later than `reconciledAt` in whole seconds, so that the trap can be seen."""
        while documents.stamp(time.time()) <= self._status.get("reconciledAt", "") and not self._stop.wait(
            0.05
        ):
            continue

    def _publish(self) -> None:
        own = self._manifest.get("metadata") or {}
        notes = {**(own.get("annotations") or {}), **({REFRESH: self._refresh} if self._refresh else {})}
        metadata: Json = {
            "name": self.name, "namespace": str(own.get("namespace") or "argocd"), **self._identity,
            "generation": self._generation,
            **({"labels": own["labels"]} if own.get("labels") else {}),
            **({"annotations": notes} if notes else {}),
            **({"finalizers": own["finalizers"]} if own.get("finalizers") else {}),
        }  # fmt: skip
        document: Json = {"metadata": metadata, "spec": self.spec(), "status": {**self._status}}
        if self._around.annotation:
            document["status"]["resourceHealthSource"] = "appTree"
        if self._operation:
            document["operation"] = self._operation
        self._around.store.publish(self.name, document)
