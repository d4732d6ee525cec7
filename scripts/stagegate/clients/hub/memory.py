"""What one run has read already: with many apps in one repository, the same question is asked once.

Only inside `remembering()`, only for the methods marked `remembered`, and only until the next write.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import msgspec

from stagegate.model import Calls

if TYPE_CHECKING:
    from stagegate.clients.hub import Hub
    from stagegate.clients.hub.values import Blob

P = ParamSpec("P")
T = TypeVar("T")


class Memory(msgspec.Struct):
    """The hubs of a run, the answers since the last write, and files of commits, which never change."""

    hubs: dict[tuple[str, ...], Hub] = {}
    answers: dict[tuple[Any, ...], Any] = {}
    blobs: dict[tuple[str, str, str], Blob | None] = {}

    @property
    def calls(self) -> Calls:
        """How many requests all hubs have made."""
        made = [hub.calls for hub in self.hubs.values()]
        return Calls(read=sum(one.read for one in made), write=sum(one.write for one in made))


_MEMORY: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering() -> Iterator[Memory]:
    """A memory for the block; `connect` gives the same hub for the same repository and token in it."""
    memory = Memory()
    token = _MEMORY.set(memory)
    try:
        yield memory
    finally:
        _MEMORY.reset(token)


def current() -> Memory | None:
    """The memory of the run, if it has one."""
    return _MEMORY.get()


def forget() -> None:
    """After a write nothing that was read holds any more, except the files of a commit."""
    memory = _MEMORY.get()
    if memory is not None:
        memory.answers.clear()


def remembered(method: Callable[P, T]) -> Callable[P, T]:
    """A reading method of a hub whose answer is kept; callers get a copy that they may change."""

    @functools.wraps(method)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        memory = _MEMORY.get()
        if memory is None:
            return method(*args, **kwargs)
        key = (id(args[0]), method.__name__, *args[1:], *sorted(kwargs.items()))
        if key not in memory.answers:
            memory.answers[key] = method(*args, **kwargs)
        answer: T = copy.copy(memory.answers[key])
        return answer

    return ask
