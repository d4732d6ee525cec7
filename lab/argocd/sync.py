"""One automated sync, step by step, with every document Argo CD shows on the way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from lab.argocd import documents
from lab.argocd.application import Application
from lab.argocd.resolve import Resolved
from lab.argocd.workloads import Values, stored_values, workloads

Json = dict[str, Any]
HOOK_TIMEOUT = 60.0
APPLY_FAILED = (
    'one or more objects failed to apply, reason: Deployment.apps "shop" is invalid: '
    "spec.selector: Invalid value: field is immutable (retried 5 times)."
)
HOOK_FAILED = (
    "one or more synchronization tasks completed unsuccessfully, "
    "reason: Job has reached the specified backoff limit"
)


def due(app: Application, spec: Json) -> bool:
    """Out of sync, automated, no window against it, these revisions not tried before or to be healed."""
    automated = (spec.get("syncPolicy") or {}).get("automated")
    if automated is None or automated.get("enabled") is False:
        return False
    if app.status["sync"]["status"] != "OutOfSync" or app.around.faults.find(
        app.name, "sync-window", "wipe-out"
    ):
        return False
    if app.attempted != attempt_key(app, spec):
        return True
    phase = (app.status.get("operationState") or {}).get("phase")
    return bool(automated.get("selfHeal")) and phase == "Succeeded"


def attempt_key(app: Application, spec: Json) -> str:
    """What auto-sync tries once only: revisions and sources."""
    revisions = app.resolved.revisions if app.resolved else ()
    return json.dumps([revisions, spec.get("source"), spec.get("sources")], sort_keys=True)


def conditions(app: Application, spec: Json, known: Resolved) -> list[Json]:
    """The condition auto-sync leaves when it will not try the same revisions again."""
    state = app.status.get("operationState") or {}
    if state.get("phase") not in ("Failed", "Error") or app.attempted != attempt_key(app, spec):
        return []
    text = f"Failed last sync attempt to [{' '.join(known.revisions)}]: {state.get('message')}"
    return [{"type": "SyncError", "message": text, "lastTransitionTime": state["finishedAt"]}]


def sync(app: Application, spec: Json, known: Resolved, stop: threading.Event) -> None:
    """Run the operation: hooks, objects, its end, and the comparison after it."""
    pause = app.around.interval / 2
    app.attempted = attempt_key(app, spec)
    started, before = time.time(), app.live
    _begin(app, spec, known, started, lambda: stop.wait(pause))

    def values() -> Values:
        return stored_values(known.objects, app.namespace, app.around.secrets())

    fault = app.around.faults.take(app.name, "sync-failed")
    failure = fault.text("message", APPLY_FAILED) if fault else None
    failure = failure or _hooks(app, known, values, stop, "PreSync", "Sync")
    if failure is None:
        wanted = [each for each in workloads(known.objects, app.namespace) if each.hook is None]
        app.around.cluster.apply(app.name, wanted, values)
        _applied(app, spec, known)
        failure = _hooks(app, known, values, stop, "PostSync")
    _next_second(app, stop)
    _finish(app, spec, known, started, failure, before)
    stop.wait(pause)
    if failure is None:
        app.progressing_until = time.monotonic() + app.around.interval
    app.note_comparison(spec, known, time.time(), conditions(app, spec, known))


def _begin(
    app: Application, spec: Json, known: Resolved, started: float, pause: Callable[[], object]
) -> None:
    """First the request on the document, a moment later the controller's answer to it."""
    with app.lock:
        app.operation = documents.operation(spec, known.revisions)
        app.publish()
    pause()
    with app.lock:
        app.status["operationState"] = {
            "operation": app.operation, "phase": "Running", "message": "",
            "startedAt": documents.stamp(started),
            "syncResult": documents.sync_result(spec, known.revisions, ()),
        }  # fmt: skip
        app.publish()


def _hooks(
    app: Application, known: Resolved, values: Callable[[], Values], stop: threading.Event, *phases: str
) -> str | None:
    """Run the hook Jobs of these phases; the operation's message when one fails."""
    for job in workloads(known.objects, app.namespace):
        if job.hook in phases and not app.around.cluster.run_job(app.name, job, values, stop, HOOK_TIMEOUT):
            return HOOK_FAILED
    return None


def _applied(app: Application, spec: Json, known: Resolved) -> None:
    """Objects are in the cluster: the comparison of live changes says Synced, with the old health."""
    with app.lock:
        app.live = app.desired
        app.status["sync"] = documents.sync_status("Synced", spec, known.revisions)
        app.status["summary"] = app.summary()
        for each in app.status.get("resources") or ():
            each["status"] = "Synced"
        app.publish()


def _next_second(app: Application, stop: threading.Event) -> None:
    """Let `finishedAt` be later than `reconciledAt` in whole seconds, so that the trap can be seen."""
    while documents.stamp(time.time()) <= app.status.get("reconciledAt", ""):
        if stop.wait(0.05):
            return


def _finish(
    app: Application,
    spec: Json,
    known: Resolved,
    started: float,
    failure: str | None,
    before: tuple[Json, ...],
) -> None:
    """The operation is over: health and reconciledAt on the document are still from before it."""
    finished, phase = time.time(), "Failed" if failure else "Running"
    resources = documents.applied_resources(app.desired, before, app.namespace, phase)
    with app.lock:
        app.operation, app.finished = None, finished
        app.status["operationState"].update(
            phase="Failed" if failure else "Succeeded", finishedAt=documents.stamp(finished),
            message=failure or "successfully synced (all tasks run)",
            syncResult=documents.sync_result(spec, known.revisions, resources),
        )  # fmt: skip
        if failure is None:
            history = app.status.setdefault("history", [])
            number = history[-1]["id"] + 1 if history else 0
            history.append(documents.history_entry(number, spec, known.revisions, started, finished))
            del history[:-10]
        app.publish()
