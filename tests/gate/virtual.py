"""Time that passes only when the gate waits: a clock, and the news of Applications at its times.

A `World` responds for a time of the clock; nothing here sleeps, so no test depends on the machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import requests

from stagegate.clients import http
from stagegate.clients.argocd import refusals
from stagegate.errors import Stop
from stagegate.gate.following import REFRESH_EVERY, REFRESH_LEAST, Event

Json = dict[str, Any]
SERVER = refusals.Server("https://argocd.example.com", "argocd.example.com", "")


class Clock:
    """Seconds since the wait began."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)


class World(Protocol):
    """Argo CD's response at a time. A status of None is no response."""

    def application(self, name: str, t: float) -> tuple[int | None, Any]: ...
    def answered_at(self, name: str, t: float) -> float: ...
    def refresh(self, name: str, t: float, *, hard: bool = False) -> None: ...
    def stream(self, name: str) -> Iterable[tuple[float, Json]]: ...
    def pods(self, name: str, t: float) -> tuple[Json, list[Json]] | None: ...
    def windows(self, name: str, t: float) -> Json: ...


def answered(status: int | None, body: Any, about: str) -> Json:
    """A body, or the Stop that the client raises for the response."""
    if status is None:
        raise http.unreachable(SERVER.host, requests.ConnectionError("connection refused"))
    response = requests.Response()
    response.status_code = status
    response.headers["Content-Type"] = "application/json" if not isinstance(body, str) else "text/html"
    response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
    if 300 <= status < 400:
        response.headers["Location"] = "https://login.example.com/"
    refusals.refuse(response, about, SERVER)
    return dict(body)


class VirtualSource:
    """A World as the gate's source."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world, self.clock = world, clock

    def application(self, name: str, *, refresh: str = "") -> Json:  # noqa: ARG002
        return answered(*self.world.application(name, self.clock.now), f"Application {name}")

    def watch(self, name: str) -> Iterator[Json]:
        raise NotImplementedError(name)

    def tree(self, name: str) -> Json:
        tree_and_pods = self.world.pods(name, self.clock.now)
        return answered(
            200 if tree_and_pods else 403,
            tree_and_pods[0] if tree_and_pods else {"message": "denied"},
            f"tree {name}",
        )

    def resource(self, name: str, node: Json) -> Json:
        _, live = self.world.pods(name, self.clock.now) or ({}, [])
        return next((pod for pod in live if pod["metadata"]["name"] == node["name"]), {})

    def manifests(self, name: str, document: Json | None = None) -> list[Json]:  # noqa: ARG002
        return []

    def managed_resources(self, name: str) -> list[Json]:  # noqa: ARG002
        return []

    def sync_windows(self, name: str) -> Json:
        return self.world.windows(name, self.clock.now)

    def application_set(self, name: str) -> Json:
        raise Stop("missing-permission", f"no {name}", "no", "no")


class VirtualNews:
    """Streams and refreshes of a World, in the order of its clock."""

    def __init__(self, source: VirtualSource) -> None:
        self._source, self._world, self._clock = source, source.world, source.clock
        self._done: dict[str, float] = {}  # when each Application's last refresh returned
        self._back: dict[str, float] = {}  # and when the pending one returns
        self._asked: set[str] = set()
        self._hard: set[str] = set()
        self._events: list[tuple[float, str, Json]] = []
        self._streams: set[str] = set()

    @property
    def streams(self) -> bool:
        return bool(self._streams)

    def begin(self, names: Iterable[str], parent: str) -> None:
        if self._done or self._back:
            return
        for name in (*names, *([parent] if parent else [])):
            self._done[name] = self._clock.now - REFRESH_EVERY
        for name in names:
            listed = list(self._world.stream(name))
            self._streams |= {name} if listed else set()
            self._events += [(t, name, document) for t, document in listed if t > self._clock.now]
        self._events.sort(key=lambda event: event[0])

    def ask(self, name: str, *, hard: bool = False) -> None:
        self._asked.add(name)
        self._hard |= {name} if hard else set()

    def follow_parents(self, names: Iterable[str]) -> None:
        for name in names:
            self._done.setdefault(name, self._clock.now - REFRESH_EVERY)

    def next(self, seconds: float) -> Event | None:
        end = self._clock.now + seconds
        while True:
            due = {
                name: done + (REFRESH_LEAST if name in self._asked else REFRESH_EVERY)
                for name, done in self._done.items()
            }
            moments = [*due.values(), *self._back.values(), *(t for t, _, _ in self._events[:1])]
            soonest = min(moments, default=end)
            if soonest > end:
                self._clock.now = end
                return None
            self._clock.now = max(self._clock.now, soonest)
            if self._events and self._events[0][0] <= self._clock.now:
                _, name, document = self._events.pop(0)
                return Event(name, document, False)
            for name in [name for name, at in self._back.items() if at <= self._clock.now]:
                del self._back[name]
                self._done[name] = self._clock.now
                hard = name in self._hard
                self._hard.discard(name)
                self._world.refresh(name, self._clock.now, hard=hard)
                try:
                    return Event(name, self._source.application(name), True, hard)
                except Stop:
                    continue
            for name in [name for name, at in due.items() if at <= self._clock.now and name in self._done]:
                self._asked.discard(name)
                del self._done[name]
                self._back[name] = max(self._clock.now, self._world.answered_at(name, self._clock.now))

    def stop(self) -> None:
        self._events.clear()
