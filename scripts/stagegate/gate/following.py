"""Follows Applications: streams report changes at once, and refreshes are requested meanwhile.

Both run in threads of their own, because a lost refresh or a silent stream must not hold up the looks that the
gate takes itself.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from stagegate.errors import Stop
from stagegate.runner import log

Json = dict[str, Any]
REFRESH_EVERY = 20.0  # seconds between refreshes, which Argo CD may lose
REFRESH_LEAST = 1.0  # seconds between two, however often it is asked
RECONNECT = (0.5, 1.0, 2.0, 5.0, 15.0)  # seconds before a broken stream is opened again


class Event(NamedTuple):
    """A document of an Application from a stream, or from a refresh (perhaps a hard one)."""

    name: str
    document: Json
    refreshed: bool
    hard: bool = False


class PodReader(Protocol):
    """Where pods are read: nodes of a tree, and the live object of each."""

    def tree(self, name: str) -> Json: ...
    def resource(self, name: str, node: Json) -> Json: ...


class Source(PodReader, Protocol):
    """Where Application documents come from."""

    def application(self, name: str, *, refresh: str = "") -> Json: ...
    def watch(self, name: str) -> Iterator[Json]: ...
    def manifests(self, name: str, document: Json | None = None) -> list[Json]: ...
    def managed_resources(self, name: str) -> list[Json]: ...
    def sync_windows(self, name: str) -> Json: ...
    def application_set(self, name: str) -> Json: ...


class Following(Protocol):
    """News of Applications, and refreshes on demand."""

    @property
    def streams(self) -> bool: ...
    def begin(self, names: Iterable[str], parent: str) -> None: ...
    def ask(self, name: str, *, hard: bool = False) -> None: ...
    def follow_parents(self, names: Iterable[str]) -> None: ...
    def next(self, seconds: float) -> Event | None: ...
    def stop(self) -> None: ...


def older(document: Json, known_document: Json) -> bool:
    """Whether a document of a slow stream is older than the known one; resource versions of an object increase."""
    version, known_version = (
        (d.get("metadata") or {}).get("resourceVersion") for d in (document, known_document)
    )
    numbers = str(version).isdigit() and str(known_version).isdigit()
    return numbers and int(str(version)) < int(str(known_version))


class Followers:
    """Follows Applications with threads, which put events on one queue."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._events: queue.Queue[Event] = queue.Queue()
        self._own: dict[str, Follower] = {}
        self._parents: dict[str, Follower] = {}

    @property
    def streams(self) -> bool:
        """Whether every stream is open, so that silence means that nothing changed."""
        return bool(self._own) and all(follower.streaming for follower in self._own.values())

    def begin(self, names: Iterable[str], parent: str) -> None:
        """Follow these Applications, and refresh the `parent` where the settings name one. Once."""
        if self._own:
            return
        self._own = {name: Follower(self._source, name, self._events) for name in names}
        if parent:
            self._own.setdefault(parent, Follower(self._source, parent, self._events, stream=False))

    def ask(self, name: str, *, hard: bool = False) -> None:
        """Request a refresh now, unless one was just requested. A `hard` one clears Argo CD's cache."""
        if name in self._own:
            self._own[name].ask(hard=hard)

    def follow_parents(self, names: Iterable[str]) -> None:
        """Refresh exactly these parent Applications from now on."""
        parents = set(names) - {"", *self._own}
        for name in parents - set(self._parents):
            log.debug(f"refreshing {name}, which applies the pin")
            self._parents[name] = Follower(self._source, name, self._events, stream=False)
        for name in set(self._parents) - parents:
            self._parents.pop(name).stop()

    def next(self, seconds: float) -> Event | None:
        """The next event, or None after so many seconds."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """No more events; the threads end with the process at the latest."""
        for follower in (*self._own.values(), *self._parents.values()):
            follower.stop()


class Follower:
    """Puts events of one Application on a queue until `stop`; it never raises and never decides.

    Without `stream` it only asks for refreshes.
    """

    def __init__(self, source: Source, name: str, events: queue.Queue[Event], *, stream: bool = True) -> None:
        self._source, self._name, self._events = source, name, events
        self._ended, self._asked, self._hard = threading.Event(), threading.Event(), threading.Event()
        self.streaming = not stream  # without a stream there is nothing to read
        for work in (self._stream, self._refresh) if stream else (self._refresh,):
            threading.Thread(target=work, name=f"{work.__name__}-{name}", daemon=True).start()

    def ask(self, *, hard: bool = False) -> None:
        """Request a refresh now, unless one was just requested."""
        if hard:
            self._hard.set()
        self._asked.set()

    def stop(self) -> None:
        """No more events; the threads end with the process at the latest."""
        self._ended.set()
        self._asked.set()

    def _stream(self) -> None:
        failures = 0
        while not self._ended.is_set():
            try:
                for document in self._source.watch(self._name):
                    if self._ended.is_set():
                        return
                    failures, self.streaming = 0, True
                    self._events.put(Event(self._name, document, False))
            except Stop as trouble:
                log.debug(f"the stream of {self._name} ended: {trouble.what}")
            except Exception as error:  # noqa: BLE001  a closed socket in another thread has many names
                log.debug(f"the stream of {self._name} broke: {type(error).__name__}")
            self.streaming = False
            self._ended.wait(RECONNECT[min(failures, len(RECONNECT) - 1)])
            failures += 1

    def _refresh(self) -> None:
        while not self._ended.is_set():
            hard = self._hard.is_set()
            self._hard.clear()
            try:
                document = self._source.application(self._name, refresh="hard" if hard else "normal")
                self._events.put(Event(self._name, document, True, hard))
            except Stop as trouble:
                log.debug(f"the refresh of {self._name} failed: {trouble.what}")
            self._ended.wait(REFRESH_LEAST)
            self._asked.wait(REFRESH_EVERY - REFRESH_LEAST)
            self._asked.clear()
