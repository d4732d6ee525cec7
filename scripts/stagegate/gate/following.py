"""Following one Application: a stream that tells of changes at once, and refreshes asked for on the side.

Both run in threads of their own, because a lost refresh or a silent stream must not hold up the looks the
gate takes itself.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, Protocol

from stagegate.errors import Stop
from stagegate.runner import log

Json = dict[str, Any]
REFRESH_EVERY = 20.0  # seconds between refreshes, which Argo CD may lose
REFRESH_LEAST = 1.0  # seconds between two, however often it is asked
RECONNECT = (0.5, 1.0, 2.0, 5.0, 15.0)  # seconds before a broken stream is opened again


class Source(Protocol):
    """Where Application documents come from. `api` is Argo CD's REST; others can stand in its place."""

    def application(self, name: str, *, refresh: str = "") -> Json: ...
    def watch(self, name: str) -> Iterator[Json]: ...
    def tree(self, name: str) -> Json: ...
    def resource(self, name: str, node: Json) -> Json: ...
    def manifests(self, name: str) -> list[Json]: ...
    def sync_windows(self, name: str) -> Json: ...


class Follower:
    """Puts (name, document, refreshed) on a queue until `stop`; it never raises and never decides.

    Without `stream` it only asks for refreshes.
    """

    def __init__(
        self, source: Source, name: str, events: queue.Queue[tuple[str, Json, bool]], *, stream: bool = True
    ) -> None:
        self._source, self._name, self._events = source, name, events
        self._ended, self._asked = threading.Event(), threading.Event()
        self.streaming = not stream  # what has no stream does not miss it
        for work in (self._stream, self._refresh) if stream else (self._refresh,):
            threading.Thread(target=work, name=f"{work.__name__}-{name}", daemon=True).start()

    def ask(self) -> None:
        """Ask for a refresh now, unless one has just been asked for."""
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
                    self._events.put((self._name, document, False))
            except Stop as trouble:
                log.debug(f"the stream of {self._name} ended: {trouble.what}")
            except Exception as error:  # noqa: BLE001  a closed socket in another thread has many names
                log.debug(f"the stream of {self._name} broke: {type(error).__name__}")
            self.streaming = False
            self._ended.wait(RECONNECT[min(failures, len(RECONNECT) - 1)])
            failures += 1

    def _refresh(self) -> None:
        while not self._ended.is_set():
            try:
                document = self._source.application(self._name, refresh="normal")
                self._events.put((self._name, document, True))
            except Stop as trouble:
                log.debug(f"the refresh of {self._name} failed: {trouble.what}")
            self._ended.wait(REFRESH_LEAST)
            self._asked.wait(REFRESH_EVERY - REFRESH_LEAST)
            self._asked.clear()
