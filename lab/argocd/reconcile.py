"""One application's controller: decides when to compare, to sync, or only to read the pods."""

from __future__ import annotations

import threading
import time
import traceback
from typing import Any

from lab.argocd.application import Application, Surroundings
from lab.argocd.charts import CannotRender
from lab.argocd.sync import conditions, due, sync

Json = dict[str, Any]
TRY_AGAIN = 1.0  # seconds after a comparison that failed
RECONCILIATION = 120.0  # seconds after one whose error is shown: only a refresh or another spec comes before
NO_MANIFESTS = (
    "failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
    "`helm template` failed exit status 1: Error: execution error at (shop/templates/deployment.yaml:1:1)"
)


class Reconciler:
    """Follows one Application manifest in a thread of its own."""

    def __init__(self, name: str, manifest: Json, around: Surroundings) -> None:
        self.app, self._around = Application(name, manifest, around), around
        self._wake, self._stop = threading.Event(), threading.Event()
        self._failed, self._first_error = 0.0, 0.0
        self._shown: Json | None = None  # the spec whose error the document shows
        self.app.publish()
        self._thread = threading.Thread(target=self._run, name=f"app-{name}", daemon=True)
        self._thread.start()

    def accept(self, manifest: Json) -> None:
        """Take a changed manifest that the app-of-apps applied: the spec is new, the status is not."""
        with self.app.lock:
            if manifest != self.app.manifest:
                self.app.manifest, self.app.accepted = manifest, time.monotonic()
                self.app.generation += 1
                self.app.publish()

    def refresh(self, kind: str) -> None:
        """Request one comparison; the annotation stays on the document until it is done."""
        with self.app.lock:
            self.app.refresh = kind
            self.app.publish()
        self._wake.set()

    def nudge(self) -> None:
        """Schedule an early check, because pods or faults changed."""
        self._wake.set()

    def close(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._around.interval)
            self._wake.clear()
            asleep = self._around.paused.is_set() or self._around.faults.find(self.app.name, "stale")
            if self._stop.is_set() or asleep:
                continue
            try:
                self._look()
            except Exception:  # noqa: BLE001 - a defect of the lab must be visible, not end in a silent wait
                self._around.problem(f"{self.app.name}: {traceback.format_exc()}")
                self._stop.wait(TRY_AGAIN)

    def _look(self) -> None:
        if self._due():
            self._compare()
        elif self.app.compared is not None:
            self.app.look_at_health()

    def _due(self) -> bool:
        """Whether to compare: on request, for another spec or other revisions, or when a sync is allowed now."""
        app, spec = self.app, self.app.spec()
        if app.refresh:
            return True
        if time.monotonic() - app.accepted < self._around.interval / 2:
            return False  # the old revision is "Synced, Healthy" first
        if app.compared != spec or self._around.faults.find(app.name, "comparison-error"):
            return time.monotonic() - self._failed > (RECONCILIATION if self._shown == spec else TRY_AGAIN)
        if due(app, spec):
            return True
        try:
            return self._around.sources.revisions(spec) != (app.resolved.revisions if app.resolved else ())
        except CannotRender:
            return time.monotonic() - self._failed > TRY_AGAIN

    def _compare(self) -> None:
        """One reconciliation: resolve, render, compare, publish; a sync when it is due."""
        app, sources = self.app, self._around.sources
        started, spec, refresh = time.time(), app.spec(), app.refresh
        fault = self._around.faults.find(app.name, "comparison-error")
        try:
            if fault:
                raise CannotRender(fault.text("message", NO_MANIFESTS))
            revisions, resolved = sources.revisions(spec, cached=refresh is None), app.resolved
            if (
                resolved is None
                or app.compared != spec
                or resolved.revisions != revisions
                or refresh == "hard"
            ):
                resolved = sources.render(app.name, spec, revisions, fresh=refresh == "hard")
        except CannotRender as error:
            self._note_error(spec, started, str(error), asked=refresh is not None)
            return
        self._first_error, self._shown = 0.0, None
        with app.lock:
            app.want(spec, resolved)
            app.note_comparison(spec, resolved, started, conditions(app, spec, resolved))
        if due(app, spec):
            sync(app, spec, resolved, self._stop)

    def _note_error(self, spec: Json, started: float, why: str, *, asked: bool) -> None:
        """Whether an error of a repository stays hidden, because this comparison was not requested."""
        self._failed = time.monotonic()
        self._first_error = self._first_error or (0.0 if asked else self._failed)
        if asked or self._failed - self._first_error > self._around.error_grace:
            self._shown = spec
            self.app.note_failure(spec, started, why)
