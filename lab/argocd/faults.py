"""Faults that a test can set on an application: failures of Argo CD, its proxies and its clusters."""

from __future__ import annotations

import difflib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS: Mapping[str, str] = {
    "stale": "no reconcile: the document stays as it is and refreshes go unanswered",
    "parent-stale": "the app-of-apps does not pick up the changed manifest",
    "lost-refresh": "a refresh is answered at once with the old document and does nothing (times=1)",
    "flap": "after the next sync Healthy for good=2.0 s, Progressing for pause=1.0 s, then then",
    "degraded": "the workload is Degraded whatever its pod does",
    "suspended": "the workload is Suspended",
    "progressing": "the workload never gets beyond Progressing",
    "comparison-error": "sync Unknown, condition ComparisonError; message='...'",
    "sync-failed": "every attempt of an operation fails (times=1: one); message='...'",
    "no-result": "an operation ends with an Error and no result, so Argo CD never syncs by itself again",
    "sync-window": "a deny window (window='allow': a shut one): OutOfSync; only /syncwindows tells why",
    "object-health": "one more object: object=HorizontalPodAutoscaler, status=Degraded, message='...'",
    "repo-server-down": "nothing is compared: sync Unknown, the target as revision, ComparisonError; message='...'",
    "invalid-spec": "the project forbids it: InvalidSpecError, sync and health Unknown; message='...'",
    "drift": "somebody changes a live object by hand, again after every sync",
    "large": "documents of bytes=1000000, by managedFields",
    "application-set": "owned by the ApplicationSet name=shops",
    "old-pod": "a pod of another release still runs: image='...', digest='sha256:..'",
    "image-id": "pods report image_id='{digest}' in place of a repository's digest",
    "auto-sync-off": "syncPolicy.automated is gone from the live Application",
    "wrong-image": "pods run another digest than the tag's: digest='sha256:..', else the one that ran before",
    "helm-override": "parameters={name: value} on the live Application, not in Git",
    "live-spec": "spec={...} merged over the live spec (another repoURL, path or branch than Git says)",
    "missing-status": "the document has no status at all",
    "deleting": "somebody deletes the Application: metadata.deletionTimestamp",
    "unknown-fields": "fields and kinds of a later Argo CD in every part of the document",
    "version-2": "documents in the shape of Argo CD 2.x",
    "401": "invalid session: expired token",
    "403": "permission denied",
    "429": "too many requests, with Retry-After",
    "500": "Argo CD's own internal error",
    "502": "an ingress's HTML page",
    "sso-redirect": "302 to another host's login page, which answers 200 with HTML",
    "precondition": "400 FailedPrecondition: another operation is already in progress",
    "hang": "no answer for wait=30.0 seconds",
    "slow-stream": "every event of the stream is held back for delay=2.0 s",
    "stream-cut": "the stream ends after events=1 events",
    "no-stream": "the stream is answered by 502 (a proxy that does not pass it)",
}
ANSWERS = ("401", "403", "429", "500", "502", "sso-redirect", "precondition", "hang")


@dataclass
class Fault:
    """One fault in force on an application or `*`; it ends after `seconds`, after `times`, or by release."""

    name: str
    kind: str
    options: Mapping[str, object] = field(default_factory=dict)
    until: float | None = None
    left: int | None = None
    added: float = field(default_factory=time.time)
    started: float | None = None
    released: bool = False

    def release(self) -> None:
        self.released = True

    def number(self, name: str, default: float) -> float:
        """A numeric option."""
        value = self.options.get(name, default)
        return float(value) if isinstance(value, int | float) else default

    def mapping(self, name: str) -> dict[str, object]:
        """An option that is a mapping; empty when it is not given."""
        value = self.options.get(name)
        return dict(value) if isinstance(value, Mapping) else {}

    def text(self, name: str, default: str) -> str:
        return str(self.options.get(name, default))

    @property
    def over(self) -> bool:
        return self.released or self.left == 0 or (self.until is not None and time.monotonic() >= self.until)


class Faults:
    """The faults in force, the newest first."""

    def __init__(self) -> None:
        self._lock, self._held = threading.Lock(), list[Fault]()

    def add(
        self, name: str, kind: str, seconds: float | None, times: int | None, options: Mapping[str, object]
    ) -> Fault:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, 1)
            raise ValueError(
                f"no fault {kind!r}{f', did you mean {near[0]!r}' if near else ''}; known: {', '.join(KINDS)}"
            )
        if kind == "lost-refresh" and times is None:
            times = 1
        fault = Fault(
            name, kind, dict(options), time.monotonic() + seconds if seconds is not None else None, times
        )
        with self._lock:
            self._held = [fault, *(held for held in self._held if not held.over)]
        return fault

    def find(self, name: str, *kinds: str) -> Fault | None:
        """The newest fault of these kinds in force for `name`."""
        with self._lock:
            return next(
                (f for f in self._held if f.kind in kinds and f.name in (name, "*") and not f.over), None
            )

    def take(self, name: str, *kinds: str) -> Fault | None:
        """Like `find`, and uses one of its `times` up."""
        fault = self.find(name, *kinds)
        if fault is not None and fault.left is not None:
            fault.left -= 1
        return fault

    def clear(self, name: str | None, kind: str | None) -> None:
        with self._lock:
            for fault in self._held:
                if name in (None, fault.name) and kind in (None, fault.kind):
                    fault.release()
