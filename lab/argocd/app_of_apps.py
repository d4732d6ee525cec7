"""The app-of-apps with pruning: creates, changes and removes Applications with their files in a folder of Git."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from lab.argocd import gitread
from lab.argocd.application import Surroundings
from lab.argocd.charts import CannotRender
from lab.argocd.manifests import applications
from lab.argocd.reconcile import Reconciler

Json = dict[str, Any]


class AppOfApps:
    """Follows the Applications in `folder` on `branch` of a bare repository, in a thread of its own."""

    def __init__(self, repository: Path, branch: str, folder: str, around: Surroundings) -> None:
        self._repository, self._branch, self._folder, self._around = repository, branch, folder, around
        self.reconcilers: dict[str, Reconciler] = {}
        self._manifests: dict[str, Json] = {}
        self._head: str | None = None
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="app-of-apps", daemon=True)

    def start(self) -> None:
        """Read Git once, then in the thread."""
        self.follow()
        self._thread.start()

    def stop(self) -> None:
        """Stop following Git; the controllers of the applications run until `close`."""
        self._stop.set()
        self._thread.join(10)

    def close(self) -> None:
        """End the controller of every application."""
        for reconciler in list(self.reconcilers.values()):
            reconciler.close()

    def follow(self) -> None:
        """Make the Applications those of the branch's head; a head that cannot be read changes nothing."""
        around = self._around
        with self._lock:
            head = gitread.head(self._repository, self._branch)
            if head is not None and head != self._head:
                try:
                    self._manifests = applications(
                        self._repository, head, self._folder, around.sources, around.clusters
                    )
                    self._head = head
                except (CannotRender, gitread.NoSuchRevision) as error:
                    around.problem(f"{head}: {error}")
            for name, manifest in self._manifests.items():
                held = self.reconcilers.get(name)
                if held is None:
                    self.reconcilers[name] = Reconciler(name, manifest, around)
                elif not around.faults.find(name, "parent-stale"):
                    held.accept(manifest)
            for name in set(self.reconcilers) - set(self._manifests):
                self.reconcilers[name].close()
                around.store.remove(name)
                around.cluster.apply(name, (), dict)
                del self.reconcilers[name]

    def named(self, name: str) -> list[Reconciler]:
        """The controller of one application, or with `*` all of them."""
        return [held for reconciled, held in list(self.reconcilers.items()) if name in ("*", reconciled)]

    def nudge(self, name: str) -> None:
        """Schedule an early check of an application, because its pods or faults changed."""
        for reconciler in self.named(name):
            reconciler.nudge()

    def _run(self) -> None:
        while not self._stop.wait(self._around.interval):
            if not self._around.paused.is_set():
                self.follow()
