"""Pods: one thread each, from pulling the image to the end of its processes."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lab.argocd import processes
from lab.argocd.images import Image
from lab.argocd.oci import CannotFetch
from lab.argocd.podstates import ContainerState, PodState
from lab.argocd.workloads import CannotConfigure, Container, Values, Workload, environment

GRACE = 3.0  # seconds between SIGTERM and SIGKILL
DRAIN = 3.0  # longest wait for requests in flight before SIGTERM
LOOK = 0.04  # seconds between two looks at a pod that is not ready yet
BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Kubelet:
    """What a pod needs from its surroundings: images, values, a folder, and a callback."""

    fetch: Callable[[str], Image]
    values: Callable[[], Values]
    folder: Path
    image_id: str  # "index" or "platform": which digest the runtime reports, both are met in the field
    changed: Callable[[], None]


class Pod:
    """A running pod. `state()` is a consistent snapshot; `stop()` returns at once, `join()` waits."""

    def __init__(self, workload: Workload, name: str, order: int, kubelet: Kubelet) -> None:
        self.workload, self.order = workload, order
        self._kubelet, self._lock, self._stop = kubelet, threading.Lock(), threading.Event()
        self._in_flight = 0
        self.port: int | None = None
        self.gone = False
        self._state = PodState(
            name, workload.namespace, workload.key, workload.template, order, time.time(),
            "Pending", False, False,
            tuple(ContainerState(c.name, c.image) for c in workload.containers),
            tuple(ContainerState(c.name, c.image) for c in workload.init),
        )  # fmt: skip
        self._thread = threading.Thread(target=self._live, name=f"pod-{name}", daemon=True)
        self._thread.start()

    def state(self) -> PodState:
        with self._lock:
            return self._state

    def stop(self) -> None:
        with self._lock:
            self._state = replace(self._state, terminating=True)
        self._stop.set()

    def join(self, timeout: float = GRACE + DRAIN + 5) -> None:
        self._thread.join(timeout)

    @contextmanager
    def request(self) -> Iterator[int | None]:
        """The pod's port, counted as in flight: the pod does not end before the port is released."""
        with self._lock:
            self._in_flight += 1
        try:
            yield self.port
        finally:
            with self._lock:
                self._in_flight -= 1

    def _live(self) -> None:
        root = self._kubelet.folder / str(self.order)
        try:
            images = self._images()
            if images is not None and self._run_init(images, root):
                self._run(images, root)
        finally:
            self.gone = True
            shutil.rmtree(root, ignore_errors=True)
            self._kubelet.changed()

    def _images(self) -> dict[str, Image] | None:
        """Every image of the pod, tried again as a kubelet does; None when the pod is stopped first."""
        attempt = 0
        while not self._stop.is_set():
            container = None
            try:
                images = {}
                for container in (*self.workload.init, *self.workload.containers):
                    images[container.name] = self._kubelet.fetch(container.image)
                    self._note(container.name, digest=self._digest(images[container.name]))
                return images
            except (CannotFetch, OSError, ValueError) as error:
                reason = "ErrImagePull" if attempt == 0 else "ImagePullBackOff"
                self._note(container.name if container else "", reason=reason, message=str(error))
            self._stop.wait(BACKOFF[min(attempt, len(BACKOFF) - 1)])
            attempt += 1
        return None

    def _digest(self, image: Image) -> str:
        digest = image.platform_digest if self._kubelet.image_id == "platform" else image.digest
        return f"{image.repository}@{digest}"

    def _run_init(self, images: dict[str, Image], root: Path) -> bool:
        for container in self.workload.init:
            attempt = 0
            while not self._stop.is_set():
                code = self._to_the_end(images[container.name], container, root)
                if code == 0:
                    break
                attempt += 1
                self._note(container.name, state="waiting", reason="CrashLoopBackOff", restarts=attempt)
                self._stop.wait(BACKOFF[min(attempt, len(BACKOFF) - 1)])
        return not self._stop.is_set()

    def _to_the_end(self, image: Image, container: Container, root: Path) -> int:
        process = self._start(image, container, root, processes.free_port())
        if process is None:
            return 128
        while process.poll() is None and not self._stop.wait(LOOK):
            continue
        code = processes.end(process, GRACE)
        self._note(
            container.name, state="terminated", reason="Completed" if code == 0 else "Error", exit_code=code
        )
        return code

    def _start(
        self, image: Image, container: Container, root: Path, port: int
    ) -> subprocess.Popen[bytes] | None:
        name = self._state.name
        home = root / container.name
        if not home.exists():
            shutil.copytree(image.root, home, symlinks=True)
        log = self._kubelet.folder.parent / "logs" / f"{name}.{container.name}.log"
        try:
            env = environment(container, self.workload.namespace, name, self._kubelet.values())
            process = processes.start(image, container, home, env, port, log)
        except CannotConfigure as error:
            self._note(container.name, reason="CreateContainerConfigError", message=str(error))
        except processes.CannotStart as error:
            self._note(container.name, reason="RunContainerError", message=str(error))
        else:
            self._note(container.name, state="running", reason=None, message=None)
            return process
        return None

    def _run(self, images: dict[str, Image], root: Path) -> None:
        restarts = 0
        while not self._stop.is_set():
            code = self._run_once(images, root)
            if self.workload.kind == "Job":
                self._phase("Succeeded" if code == 0 else "Failed")
                self._stop.wait()
                return
            restarts += 1
            if not self._stop.is_set() and code is not None:
                for container in self.workload.containers:
                    self._note(
                        container.name,
                        state="waiting",
                        reason="CrashLoopBackOff",
                        restarts=restarts,
                        exit_code=code,
                    )
            self._stop.wait(BACKOFF[min(restarts - 1, len(BACKOFF) - 1)])

    def _run_once(self, images: dict[str, Image], root: Path) -> int | None:
        """Run all containers until one ends or the pod is stopped; its exit code, None if none started."""
        running: list[tuple[Container, subprocess.Popen[bytes], int]] = []
        try:
            for container in self.workload.containers:
                port = processes.free_port()
                process = self._start(images[container.name], container, root, port)
                if process is None:
                    return None
                running.append((container, process, port))
            self.port = running[0][2]
            self._phase("Running")
            self._watch(running)
            return next((p.returncode for _, p, _ in running if p.poll() is not None), 0)
        finally:
            self._drain()
            for container, process, _ in running:
                self._note(container.name, ready=False)
                processes.end(process, GRACE)

    def _watch(self, running: list[tuple[Container, subprocess.Popen[bytes], int]]) -> None:
        failures, next_probe = 0, 0.0
        while not self._stop.is_set() and all(process.poll() is None for _, process, _ in running):
            if self.workload.kind != "Job" and time.monotonic() >= next_probe:
                good = all(processes.probe(container, port) for container, _, port in running)
                failures = 0 if good else failures + 1
                if good or failures >= running[0][0].probe_failures:
                    for container, _, _ in running:
                        self._note(container.name, ready=good)
                next_probe = time.monotonic() + (1.0 if self._state.ready else LOOK)
            self._stop.wait(0.1 if self._state.ready else LOOK)

    def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN
        while self._in_flight and time.monotonic() < deadline:
            time.sleep(LOOK)

    def _phase(self, phase: str) -> None:
        with self._lock:
            self._state = replace(self._state, phase=phase)
        self._kubelet.changed()

    def _note(self, container: str, **change: object) -> None:
        """Change one container's state; notify the owner only of a real change."""
        with self._lock:
            before = self._state
            lists = [
                tuple(replace(status, **change) if status.name == container else status for status in group)  # type: ignore[arg-type]
                for group in (before.containers, before.init)
            ]
            ready = bool(lists[0]) and all(status.ready for status in lists[0])
            self._state = replace(before, containers=lists[0], init=lists[1], ready=ready)
            changed = self._state != before
        if changed:
            self._kubelet.changed()
