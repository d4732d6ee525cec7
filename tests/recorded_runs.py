"""Every run of an action in the tests calls only what `tests/contract/recorded_calls.json` lists for that action."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

from lab.conformance import runs
from lab.conformance.recording import FOLDER
from lab.forge import demands
from stagegate.clients.registry import transport
from stagegate.runner import boundary, inputs


@contextmanager
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Watch the runs of one test; AssertionError at its end for a call that is not listed."""
    began: list[runs.Run] = []
    new: set[str] = set()

    def load(kind: Any, *arguments: Any, of: Callable[..., Any] = inputs.load) -> Any:
        began.append(runs.Run(kind.__name__))
        demands.listen(began[-1].hear)
        return of(kind, *arguments)

    def finish(action: str, *arguments: Any, of: Callable[..., int] = boundary.finish) -> int:
        while began:
            run = began.pop()
            demands.forget(run.hear)
            run.action = action
            runs.keep(run)
            listed = recorded().get(action)
            unlisted = run.places - (listed.places if listed else set())
            # Whether a run needs its registry is recorded; a registry of somebody else asks for no permission.
            new.update(f"{action}: {place}" for place in unlisted if not place.startswith("registry "))
        return of(action, *arguments)

    def send(
        client: Any, method: str, *arguments: Any, of: Any = transport.Transport.send, **named: Any
    ) -> Any:
        level = "read" if method in ("GET", "HEAD") else "write"
        for run in began:  # GitHub's registry takes the job's token
            run.hear(demands.Demand(f"registry {level}", f"packages={level}", "actions"))
        return of(client, method, *arguments, **named)

    monkeypatch.setattr(transport.Transport, "send", send)
    monkeypatch.setattr(boundary, "load", load)
    monkeypatch.setattr(boundary, "finish", finish)
    yield
    for run in began:
        demands.forget(run.hear)
    assert not new or os.environ.get(FOLDER), (
        f"not in {runs.FILE.name}, which `make calls TESTS=<this file>` completes: {sorted(new)}"
    )


@cache
def recorded() -> dict[str, runs.Recorded]:
    """The generated file, read once."""
    return runs.read()
