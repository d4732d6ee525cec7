"""Records the permission that each request needed, and the place that needed it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """`place` is a route (`GET /repos/{owner}/{repo}/pulls`), a GraphQL field (`Repository.refs`) or `git push`;
    `needs` as in `Route`; `kind` is the kind of the token."""

    place: str
    needs: str
    kind: str


Listener = Callable[[Demand], None]
_listeners: list[Listener] = []
_here = threading.local()


def enter(place: str) -> None:
    """Record the place that this thread's request has reached."""
    _here.place = place


def note(needs: str, kind: str) -> None:
    """Record a permission that the current place of this thread needs."""
    for listener in tuple(_listeners):
        listener(Demand(getattr(_here, "place", ""), needs, kind))


def listen(listener: Listener) -> None:
    """Call `listener` with every demand from now on, in the thread of the request."""
    _listeners.append(listener)


def forget(listener: Listener) -> None:
    """Stop calling it."""
    with suppress(ValueError):
        _listeners.remove(listener)
