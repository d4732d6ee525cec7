"""The cluster: roll-outs of workloads, one pod at a time, an old one serving until a new one is ready."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.argocd.images import Image
from lab.argocd.pods import Kubelet, Pod
from lab.argocd.podstates import PodState
from lab.argocd.workloads import Values, Workload

Read = Callable[[], Values]

Health = tuple[str, str]  # Argo CD's status and its message
MOST_PODS = 3  # of one workload, because each pod is a process; further replicas are not started


@dataclass
class Rollout:
    """One workload as applied: its new pods, as far as they have started, and the old pods that they replace."""

    workload: Workload
    values: Read
    current: list[Pod] = field(default_factory=list)
    old: list[Pod] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    revision: int = 1


class Cluster:
    """Every pod of every application. `changed(application)` is called from pod threads."""

    def __init__(
        self, root: Path, fetch: Callable[[str, str], Image], changed: Callable[[str], None],
        deadline: float, image_id: str,
    ) -> None:  # fmt: skip
        self._root, self._fetch, self._changed = root, fetch, changed
        self._deadline, self._image_id = deadline, image_id
        self._rollouts: dict[str, dict[str, Rollout]] = {}
        self._lock, self._count = threading.RLock(), itertools.count(1)
        self._made: list[Pod] = []

    def apply(self, application: str, workloads: Sequence[Workload], values: Read) -> None:
        """Make the application's workloads those of `wanted`; unchanged ones stay untouched."""
        with self._lock:
            held = self._rollouts.setdefault(application, {})
            for key in set(held) - {workload.key for workload in workloads}:
                for pod in self._pods(held.pop(key)):
                    pod.stop()
            for workload in workloads:
                self._roll(application, held, workload, values)

    def _roll(self, application: str, held: dict[str, Rollout], workload: Workload, values: Read) -> None:
        before = held.get(workload.key)
        if before is None:
            held[workload.key] = Rollout(workload, values)
            self._told(application)
            return
        is_same = (before.workload.template, before.workload.replicas) == (
            workload.template,
            workload.replicas,
        )
        before.workload, before.values = workload, values
        if is_same:
            return
        before.since, before.revision = time.monotonic(), before.revision + 1
        pods, before.current, before.old = self._pods(before), [], []
        for pod in pods:
            if pod.workload.template == workload.template and not pod.state().terminating:
                before.current.append(pod)
            elif pod.state().ready:
                before.old.append(pod)
            else:
                pod.stop()
        self._told(application)

    def _pod(self, application: str, workload: Workload, values: Read, place: int = 0) -> Pod:
        order = next(self._count)
        suffix = hashlib.sha256(f"{application}{order}".encode()).hexdigest()[:5]
        name = (
            f"{workload.name}-{place}"
            if workload.kind == "StatefulSet"
            else f"{workload.name}-{workload.template}-{suffix}"
        )
        folder = self._root / application / "pods"
        fetch = lambda reference: self._fetch(application, reference)  # noqa: E731
        kubelet = Kubelet(fetch, values, folder, self._image_id, lambda: self._told(application))
        pod = Pod(workload, name, order, kubelet)
        self._made = [made_pod for made_pod in self._made if not made_pod.gone] + [pod]
        return pod

    def _told(self, application: str) -> None:
        """React to a changed pod: continue the roll-outs, then notify the owner."""
        with self._lock:
            for rollout in self._rollouts.get(application, {}).values():
                self._go_on(application, rollout)
        self._changed(application)

    def _go_on(self, application: str, rollout: Rollout) -> None:
        """Start the next pod when the started ones are ready, and end one old pod for each ready one."""
        replicas = min(rollout.workload.replicas, MOST_PODS)
        rollout.old = [pod for pod in rollout.old if not pod.gone]
        for pod in rollout.current[replicas:]:
            pod.stop()
            rollout.old.append(pod)
        del rollout.current[replicas:]
        ready = sum(pod.state().ready for pod in rollout.current)
        serving = [pod for pod in rollout.old if not pod.state().terminating]
        for pod in serving[max(0, replicas - ready) :]:
            pod.stop()
        if len(rollout.current) < replicas and ready == len(rollout.current):
            place = len(rollout.current)
            rollout.current.append(self._pod(application, rollout.workload, rollout.values, place))

    @contextmanager
    def backend(self, application: str, key: str | None) -> Iterator[int | None]:
        """Port of the pod that serves a workload now, None while there is none."""
        with self._lock:
            rollout = self._rollouts.get(application, {}).get(key or "")
            ready = (
                [pod for pod in self._pods(rollout) if pod.state().ready and not pod.gone] if rollout else []
            )
            chosen = max(ready, key=lambda pod: (not pod.state().terminating, pod.order), default=None)
            held = chosen.request() if chosen else None
            port = held.__enter__() if held else None
        try:
            yield port
        finally:
            if held:
                held.__exit__(None, None, None)

    def run_job(
        self, application: str, job: Workload, values: Read, stop: threading.Event, timeout: float
    ) -> bool:
        """Run a hook's Job to its end; true when it succeeded."""
        pod = self._pod(application, job, values)
        deadline = time.monotonic() + timeout
        while not stop.is_set() and time.monotonic() < deadline:
            phase = pod.state().phase
            if phase in ("Succeeded", "Failed"):
                pod.stop()
                return phase == "Succeeded"
            stop.wait(0.05)
        pod.stop()
        return False

    def health(self, application: str) -> dict[str, Health]:
        """Argo CD's health of every workload, by key."""
        with self._lock:
            return {
                key: self._health(rollout) for key, rollout in self._rollouts.get(application, {}).items()
            }

    def _health(self, rollout: Rollout) -> Health:
        workload, replicas = rollout.workload, min(rollout.workload.replicas, MOST_PODS)
        states = [pod.state() for pod in rollout.current]
        if workload.kind == "Job" and states:
            words = {
                "Succeeded": ("Healthy", "Job completed"),
                "Failed": ("Degraded", "Job has reached the specified backoff limit"),
            }
            return words.get(states[0].phase, ("Progressing", "Job is running"))
        ready = sum(state.ready for state in states)
        if ready >= replicas:
            return "Healthy", ""
        if time.monotonic() - rollout.since > min(workload.deadline, self._deadline):
            return "Degraded", f'{workload.kind} "{workload.name}" exceeded its progress deadline'
        if rollout.old:
            text = f"{len(rollout.old)} old replicas are pending termination..."
            return "Progressing", f"Waiting for rollout to finish: {text}"
        return (
            "Progressing",
            f"Waiting for rollout to finish: {ready} of {replicas} updated replicas are available...",
        )

    def states(self, application: str) -> tuple[tuple[Workload, int, tuple[PodState, ...]], ...]:
        """Every workload with its roll-out's number and its pods, old and new."""
        with self._lock:
            return tuple(
                (
                    rollout.workload,
                    rollout.revision,
                    tuple(pod.state() for pod in self._pods(rollout) if not pod.gone),
                )
                for rollout in self._rollouts.get(application, {}).values()
            )

    def _pods(self, rollout: Rollout) -> list[Pod]:
        return [*rollout.old, *rollout.current]

    def close(self) -> None:
        """End every process and wait for it."""
        with self._lock:
            pods = list(self._made)
            self._rollouts.clear()
        for pod in pods:
            pod.stop()
        for pod in pods:
            pod.join()
