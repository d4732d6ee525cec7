"""Responses that one run has already, so that many apps in one repository send each request once.

Only inside `remembering()`, and only for the methods marked `remembered` (until the next write that may change the
answer) or `lasting` (a response about commits by their full SHA, which never changes).
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Callable, Iterator, Mapping
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

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
# Which answers a write can change, by the beginning of its route (or the mutation). One that is not listed changes
# everything.
_OF_REFS = (
    "head", "_refs", "ref_files", "tag", "contains", "compare", "entries", "history", "pushed", "deleted_refs",
    "_newest_activity", "pulls",
)  # fmt: skip
_CHANGED_BY: Mapping[str, tuple[str, ...]] = {
    "git/blobs": (),  # objects that no ref names yet
    "git/trees": (),
    "git/commits": (),
    "git/tags": (),
    "git/refs": _OF_REFS,
    "createCommitOnBranch": _OF_REFS,
    "updateRefs": _OF_REFS,
    "pulls": _OF_REFS,
    "issues": ("pulls",),
    "actions": ("run_info",),
    "statuses": ("statuses",),
    "deployments": ("deployments", "newest_deployments"),
}


class Memory(msgspec.Struct):
    """The hubs of a run, the answers since the last write, and what commits contain, which never changes.

    `work_trees` list the files of a commit that a repository's work tree has; `files` by repository, commit and
    path; `trees` by repository and commit; `contents` by object id; `reached` are the commits that a branch of a
    repository contains.
    """

    hubs: dict[tuple[str, ...], Hub] = {}
    responses: dict[tuple[Any, ...], Any] = {}
    of_commits: dict[tuple[Any, ...], Any] = {}
    work_trees: dict[str, Callable[[str], dict[str, tuple[str, str]] | None]] = {}
    files: dict[tuple[str, str, str], Blob | None] = {}
    trees: dict[tuple[str, str], Mapping[str, tuple[str, str]]] = {}
    contents: dict[str, bytes] = {}
    reached: set[tuple[str, str, str]] = set()

    @property
    def calls(self) -> Calls:
        """How many requests all hubs have made."""
        all_calls = [hub.calls for hub in self.hubs.values()]
        return Calls(
            read=sum(calls_of_hub.read for calls_of_hub in all_calls),
            write=sum(calls_of_hub.write for calls_of_hub in all_calls),
        )


_MEMORY: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering() -> Iterator[Memory]:
    """A memory for the block; `connect` gives the same hub for the same repository and token in it.

    A block inside another one uses the memory of the outer block.
    """
    outer = _MEMORY.get()
    if outer is not None:
        yield outer
        return
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
    """Nothing that was read counts any more, except what commits contain: for what others may have changed."""
    memory = _MEMORY.get()
    if memory is not None:
        memory.responses.clear()


def forget_changed(write: str) -> None:
    """Forget what a write may have changed: its route in the repository, or its mutation."""
    memory = _MEMORY.get()
    if memory is None:
        return
    changed = [names for start, names in _CHANGED_BY.items() if _begins(write, start)]
    if not changed:
        memory.responses.clear()
    for key in [key for key in memory.responses if any(key[1] in names for names in changed)]:
        del memory.responses[key]


def _begins(route: str, start: str) -> bool:
    return route == start or route.startswith(f"{start}/")


def is_commit(ref: object) -> bool:
    """Whether a ref is a full SHA, which names one content for ever."""
    return isinstance(ref, str) and _SHA.fullmatch(ref) is not None


def knows(hub: object, method: str, arguments: tuple[Any, ...]) -> bool:
    """Whether the response of a remembered method is known."""
    memory = _MEMORY.get()
    return memory is not None and (id(hub), method, *arguments) in memory.responses


def learn(hub: object, method: str, arguments: tuple[Any, ...], response: object) -> None:
    """Keep the response of a remembered method that came with another response."""
    memory = _MEMORY.get()
    if memory is not None:
        key = (id(hub), method, *arguments)
        memory.responses[key] = response


def remembered(method: Callable[P, T]) -> Callable[P, T]:
    """A reading method of a hub whose answer is kept; callers get a copy that they may change."""

    @functools.wraps(method)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        memory = _MEMORY.get()
        if memory is None:
            return method(*args, **kwargs)
        return _kept(memory.responses, method, *args, **kwargs)

    return ask


def lasting(method: Callable[P, T]) -> Callable[P, T]:
    """`remembered`, and kept for the whole run where every argument is the full SHA of a commit."""

    @functools.wraps(method)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        memory = _MEMORY.get()
        if memory is None:
            return method(*args, **kwargs)
        by_commit = all(is_commit(argument) for argument in (*args[1:], *kwargs.values()))
        return _kept(memory.of_commits if by_commit else memory.responses, method, *args, **kwargs)

    return ask


def _kept(responses: dict[tuple[Any, ...], Any], method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    key = (id(args[0]), method.__name__, *args[1:], *sorted(kwargs.items()))
    if key not in responses:
        responses[key] = method(*args, **kwargs)
    response: T = copy.copy(responses[key])
    return response
