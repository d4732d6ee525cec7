"""Judges whether an Application is synced to this release: its operation, and remaining differences. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app.status import Application
from stagegate.gate.expected import Expected
from stagegate.gate.health import not_before
from stagegate.gate.rollout_reasons import Objection, RolloutReason

_BLOCKED = "blocked by sync window"  # Argo CD's words
_ROOM = 300  # characters of a message


def shortened(message: str) -> str:
    """A message on one line, without its middle when it is long: the cause is often in its last words."""
    text = " ".join(message.split())
    return text if len(text) <= _ROOM else f"{text[:100]} ... {text[100 - _ROOM :]}"


def operation(app: Application, expected: Expected) -> Iterator[Objection]:
    """A sync that is requested, runs, or failed for these revisions."""
    state, message = app.operation, shortened(app.operation.message)
    if state.phase == "Running" and _BLOCKED in state.message:
        yield "sync-window", expected.sync_window or "a sync window blocks the sync that has begun"
    if app.requested or (state.phase and not state.finished):
        started = f" since {state.started}" if state.started else ""
        yield "syncing", f"a sync runs{started}" + (f": {message}" if message else "")
    if state.phase in ("Terminating", "Running"):
        yield "syncing", "a sync runs" + (f": {message}" if message else "")
    if state.phase in ("Failed", "Error") and state.revisions == app.revisions:
        yield "operation-failed", f"the sync {state.phase.lower()}: {message or 'no message'}"


def differences(app: Application, expected: Expected) -> Iterator[Objection]:
    """Objections to differences between the cluster and these revisions."""
    if app.sync == "Synced":
        return
    if app.sync != "OutOfSync":
        yield "sync-unknown", f"sync status {app.sync}"
    elif expected.sync_window:
        yield "sync-window", f"the Application is OutOfSync, and {expected.sync_window}"
    elif not app.auto_sync:
        yield (
            "auto-sync-off",
            "the Application is OutOfSync and its automatic sync is off: sync the Application by hand",
        )
    elif text := sync_error(app):
        failed = app.operation.phase in ("Failed", "Error")
        word: RolloutReason = "operation-failed" if failed else "sync-error"
        yield word, f"Argo CD does not sync this revision: {text}"
    elif to_prune := _only_to_prune(app):
        yield (
            "prune",
            (
                f"the Application is OutOfSync: {to_prune} must be removed, but `prune` is off in the "
                "automated sync"
            ),
        )
    elif synced_already(app):
        different = ", ".join([o.name for o in app.objects if not o.in_sync][:5]) or "some object"
        text = f"the revisions are synced, but {different} changed later in the cluster, and self-heal is off"
        yield "out-of-sync", text
    else:
        yield "out-of-sync", "the Application is OutOfSync, and the sync has not begun"


def sync_error(app: Application) -> str:
    """Argo CD's message that it does not retry these revisions, or nothing."""
    return next((shortened(text) for kind, text in app.conditions if kind == "SyncError"), "")


def synced_already(app: Application) -> bool:
    """Whether automated sync will leave the difference alone: these very revisions are synced, no self-heal.

    A comparison from before that sync ended, or from the same second, does not show what it left.
    """
    is_synced = app.operation.phase == "Succeeded" and app.operation.revisions == app.revisions
    is_synced = is_synced and not not_before(app.operation.finished, app.reconciled)
    return app.sync == "OutOfSync" and app.auto_sync and not app.self_heal and is_synced


def _only_to_prune(app: Application) -> str:
    """The objects that keep it OutOfSync, when all of them wait to be removed and nothing removes them."""
    different = [item for item in app.objects if not item.in_sync]
    only = bool(different) and not app.prune and all(item.must_be_pruned for item in different)
    return ", ".join(item.name for item in different[:5]) if only else ""
