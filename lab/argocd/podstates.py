"""The snapshot of a pod."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerState:
    """The state of a container for `status.containerStatuses`. `state` is running, waiting or terminated."""

    name: str
    image: str
    digest: str | None = None
    state: str = "waiting"
    reason: str | None = "ContainerCreating"
    message: str | None = None
    ready: bool = False
    restarts: int = 0
    exit_code: int | None = None


@dataclass(frozen=True)
class PodState:
    """A snapshot of a pod. `order` grows with each one, `created` is Unix time."""

    name: str
    namespace: str
    owner: str
    template: str
    order: int
    created: float
    phase: str
    ready: bool
    terminating: bool
    containers: tuple[ContainerState, ...]
    init: tuple[ContainerState, ...]
