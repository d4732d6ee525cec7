"""One automated sync, step by step, with every document that Argo CD shows meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from lab.argocd import documents
from lab.argocd.application import Application
from lab.argocd.resolve import Resolved
from lab.argocd.workloads import Values, namespace_of, stored_values, workloads

Json = dict[str, Any]
HOOK_TIMEOUT = 60.0
APPLY_FAILED = (
    'one or more objects failed to apply, reason: Deployment.apps "shop" is invalid: '
    "spec.selector: Invalid value: field is immutable"
)
NO_PROJECT = "Failed to load application project: rpc error: code = Unavailable desc = connection error"
HOOK_FAILED = (
    "one or more synchronization tasks completed unsuccessfully, "
    "reason: Job has reached the specified backoff limit"
)


def due(app: Application, spec: Json) -> bool:
    """Whether to sync: out of sync, automated, no closed window, and revisions not tried before or to be healed."""
    automated = (spec.get("syncPolicy") or {}).get("automated")
    if automated is None or automated.get("enabled") is False:
        return False
    if app.status["sync"]["status"] != "OutOfSync" or app.around.faults.find(app.name, "sync-window"):
        return False
    different = [resource for resource in app.status["resources"] if resource["status"] == "OutOfSync"]
    if not automated.get("prune") and all(resource.get("requiresPruning") for resource in different):
        return False  # "need to prune extra resources only"
    state = app.status.get("operationState") or {}
    if wipes_out(app, spec) or _ended_without_result(state):
        return False
    if app.attempted != attempt_key(app, spec):
        return True
    return bool(automated.get("selfHeal")) and state.get("phase") == "Succeeded"


def wipes_out(app: Application, spec: Json) -> bool:
    """Whether an automated sync would remove everything, which Argo CD does not do by itself."""
    automated = (spec.get("syncPolicy") or {}).get("automated") or {}
    return (
        bool(app.live)
        and not app.desired
        and bool(automated.get("prune"))
        and not automated.get("allowEmpty")
    )


def _ended_without_result(state: Json) -> bool:
    """An operation that ended before it had a result counts as tried for every later revision."""
    return state.get("phase") == "Error" and "syncResult" not in state


def attempt_key(app: Application, spec: Json) -> str:
    """The revisions and sources that auto-sync tries only once."""
    revisions = app.resolved.revisions if app.resolved else ()
    return json.dumps([revisions, spec.get("source"), spec.get("sources")], sort_keys=True)


def conditions(app: Application, spec: Json, resolved: Resolved) -> list[Json]:
    """The condition that auto-sync sets when it does not retry the same revisions, or would remove everything."""
    state = app.status.get("operationState") or {}
    revisions, since = " ".join(resolved.revisions), state.get("finishedAt") or documents.stamp(time.time())
    if _ended_without_result(state):
        text = f"Failed last sync attempt to []: {state.get('message')}"
    elif state.get("phase") in ("Failed", "Error") and app.attempted == attempt_key(app, spec):
        text = f"Failed last sync attempt to [{revisions}]: {state.get('message')}"
    elif wipes_out(app, spec):
        text = f"Skipping sync attempt to [{revisions}]: auto-sync will wipe out all resources"
    else:
        return []
    return [{"type": "SyncError", "message": text, "lastTransitionTime": since}]


def sync(app: Application, spec: Json, resolved: Resolved, stop: threading.Event) -> None:
    """Run the operation: hooks, objects, as often as it may be tried, its end, and the comparison after it."""
    pause = app.around.interval / 2
    app.attempted = attempt_key(app, spec)
    started, before = time.time(), app.live
    _begin(app, spec, resolved, started, lambda: stop.wait(pause))
    if app.around.faults.take(app.name, "no-result"):
        _end_without_result(app)
        app.note_comparison(spec, resolved, time.time(), conditions(app, spec, resolved))
        return
    failure, attempt = _attempt(app, spec, resolved, stop), 0
    while failure is not None and attempt < _retries(spec) and not stop.is_set():
        attempt += 1
        _wait_to_retry(app, failure, attempt, stop)
        failure = _attempt(app, spec, resolved, stop)
    if failure is not None and attempt:
        failure = f"{failure} (retried {attempt} times)."
    _next_second(app, stop)
    _finish(app, spec, resolved, started, failure, before)
    stop.wait(pause)
    if failure is None:
        app.progressing_until = time.monotonic() + app.around.interval
    app.note_comparison(spec, resolved, time.time(), conditions(app, spec, resolved))


def _begin(
    app: Application, spec: Json, resolved: Resolved, started: float, pause: Callable[[], object]
) -> None:
    """Publish the request on the document, and a moment later the controller's response."""
    with app.lock:
        app.operation = documents.operation(spec, resolved.revisions)
        app.publish()
    pause()
    with app.lock:
        app.status["operationState"] = {
            "operation": app.operation, "phase": "Running", "message": "",
            "startedAt": documents.stamp(started),
            "syncResult": documents.sync_result(spec, resolved.revisions, ()),
        }  # fmt: skip
        app.publish()


def _attempt(app: Application, spec: Json, resolved: Resolved, stop: threading.Event) -> str | None:
    """Hooks and objects once; the operation's message when it failed."""

    def values() -> Values:
        return stored_values(resolved.objects, app.namespace, app.around.secrets())

    fault = app.around.faults.take(app.name, "sync-failed")
    if fault:
        return fault.text("message", APPLY_FAILED)
    failure = _hooks(app, resolved, values, stop, "PreSync", "Sync")
    if failure is not None:
        return failure
    prunes = bool(((spec.get("syncPolicy") or {}).get("automated") or {}).get("prune"))
    left_over = () if prunes else _left_over(app)
    objects = [*resolved.objects, *left_over]
    desired_workloads = [workload for workload in workloads(objects, app.namespace) if workload.hook is None]
    app.around.cluster.apply(app.name, desired_workloads, values)
    _applied(app, spec, resolved, left_over)
    return _hooks(app, resolved, values, stop, "PostSync")


def _left_over(app: Application) -> tuple[Json, ...]:
    """Live objects that the release no longer has."""

    def key(item: Json) -> tuple[str, ...]:
        return (
            str(item.get("apiVersion")),
            item["kind"],
            namespace_of(item, app.namespace),
            item["metadata"]["name"],
        )

    desired = {key(item) for item in app.desired}
    return tuple(item for item in app.live if key(item) not in desired)


def _retries(spec: Json) -> int:
    """How often a failed automated sync is tried again: five times where the Application says nothing."""
    retry = (spec.get("syncPolicy") or {}).get("retry")
    return 5 if retry is None else int(retry.get("limit") or 0)


def _wait_to_retry(app: Application, failure: str, attempt: int, stop: threading.Event) -> None:
    """The pause before another attempt: the operation goes on running, with the end of the attempt before."""
    now = time.time()
    with app.lock:
        app.status["operationState"].update(
            message=f"{failure}. Retrying attempt #{attempt} at {time.strftime('%I:%M%p', time.gmtime(now))}.",
            finishedAt=documents.stamp(now), retryCount=attempt,
        )  # fmt: skip
        app.publish()
    stop.wait(app.around.retry_pause * 2 ** (attempt - 1))
    with app.lock:
        app.status["operationState"].pop("finishedAt")
        app.status["operationState"]["message"] = f"Retrying operation. Attempt #{attempt}"
        app.publish()


def _end_without_result(app: Application) -> None:
    """End an operation that could not begin, for instance because the project could not be read."""
    with app.lock:
        app.operation = None
        state = app.status["operationState"]
        state.pop("syncResult")
        state.update(phase="Error", finishedAt=documents.stamp(time.time()), message=NO_PROJECT)
        app.publish()


def _hooks(
    app: Application, resolved: Resolved, values: Callable[[], Values], stop: threading.Event, *phases: str
) -> str | None:
    """Run the hook Jobs of these phases; the operation's message when one fails."""
    for job in workloads(resolved.objects, app.namespace):
        if job.hook in phases and not app.around.cluster.run_job(app.name, job, values, stop, HOOK_TIMEOUT):
            return HOOK_FAILED
    return None


def _applied(app: Application, spec: Json, resolved: Resolved, left_over: tuple[Json, ...]) -> None:
    """Publish Synced with the old health, because the objects are in the cluster."""
    with app.lock:
        app.live = (*app.desired, *left_over)
        app.status["sync"] = documents.sync_status(
            "OutOfSync" if left_over else "Synced", spec, resolved.revisions
        )
        app.status["summary"] = app.summary()
        for resource in app.status.get("resources") or ():
            resource["status"] = "OutOfSync" if left_over and resource.get("requiresPruning") else "Synced"
        app.publish()


def _next_second(app: Application, stop: threading.Event) -> None:
    """Let `finishedAt` be later than `reconciledAt` in whole seconds, so that the trap can be seen."""
    while documents.stamp(time.time()) <= app.status.get("reconciledAt", ""):
        if stop.wait(0.05):
            return


def _finish(
    app: Application,
    spec: Json,
    resolved: Resolved,
    started: float,
    failure: str | None,
    before: tuple[Json, ...],
) -> None:
    """End the operation; health and reconciledAt on the document are still from before it."""
    finished, phase = time.time(), "Failed" if failure else "Running"
    resources = documents.applied_resources(app.desired, before, app.namespace, phase)
    with app.lock:
        app.operation, app.finished = None, finished
        app.status["operationState"].update(
            phase="Failed" if failure else "Succeeded", finishedAt=documents.stamp(finished),
            message=failure or "successfully synced (all tasks run)",
            syncResult=documents.sync_result(spec, resolved.revisions, resources),
        )  # fmt: skip
        if failure is None:
            history = app.status.setdefault("history", [])
            number = history[-1]["id"] + 1 if history else 0
            history.append(documents.history_entry(number, spec, resolved.revisions, started, finished))
            del history[:-10]
        app.publish()
