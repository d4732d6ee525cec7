"""The documents served now, their versions, and their watchers."""

from __future__ import annotations

import itertools
import json
import queue
import threading
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Event = tuple[str, Json]  # ADDED, MODIFIED or DELETED, and the document


class Store:
    """Application documents by name. `view` changes a document on its way out (faults of its shape)."""

    def __init__(self, view: Callable[[Json], Json]) -> None:
        self._view, self._documents, self._watchers = (
            view,
            dict[str, Json](),
            set[queue.SimpleQueue[Event | None]](),
        )
        self._changed, self._versions = threading.Condition(), itertools.count(1001)
        self._closed = False

    def publish(self, name: str, document: Json) -> None:
        """Serve a new document; its resourceVersion is set here and only ever grows."""
        with self._changed:
            copy: Json = json.loads(json.dumps(document, default=str))
            copy["metadata"]["resourceVersion"] = str(next(self._versions))
            kind = "MODIFIED" if name in self._documents else "ADDED"
            self._documents[name] = copy
            self._tell((kind, copy))

    def remove(self, name: str) -> None:
        with self._changed:
            gone = self._documents.pop(name, None)
            if gone:
                self._tell(("DELETED", gone))

    def _tell(self, event: Event) -> None:
        for watcher in self._watchers:
            watcher.put(event)
        self._changed.notify_all()

    def get(self, name: str) -> Json | None:
        """The document as served now."""
        with self._changed:
            held = self._documents.get(name)
        return self.seen(held) if held else None

    def seen(self, document: Json) -> Json:
        """A document as it leaves the API: a copy, with the faults of its shape."""
        return self._view(json.loads(json.dumps(document)))

    def names(self) -> list[str]:
        with self._changed:
            return sorted(self._documents)

    def wait(self, name: str, good: Callable[[Json], bool], timeout: float) -> Json | None:
        """The first document of `name` that is good, the current one included; None after `timeout`."""
        document: Json | None = None

        def look() -> bool:
            nonlocal document
            held = self._documents.get(name)
            document = self.seen(held) if held else None
            return self._closed or bool(document and good(document))

        with self._changed:
            return document if self._changed.wait_for(look, timeout) and not self._closed else None

    def watch(self) -> queue.SimpleQueue[Event | None]:
        """A queue of every event from now on; None means that the store is closed."""
        watcher: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        with self._changed:
            self._watchers.add(watcher)
        return watcher

    def unwatch(self, watcher: queue.SimpleQueue[Event | None]) -> None:
        with self._changed:
            self._watchers.discard(watcher)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            for watcher in self._watchers:
                watcher.put(None)
            self._changed.notify_all()
