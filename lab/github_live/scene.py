"""The scratch repository of a live run, and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stagegate.clients.hub import Hub

# Method, path below the repository and body of a request; returns the JSON of the response.
Ask = Callable[[str, str, Mapping[str, object]], Any]


@dataclass
class Scene:
    """The scratch repository and the refs that checks create there, for later checks and for the clean-up."""

    hub: Hub
    name: str
    start: str
    ask: Ask
    base: str = ""
    head: str = ""
    pull: int = 0
    notes: dict[str, str] = field(default_factory=dict)

    def branch(self, part: str) -> str:
        """A branch name of this run."""
        return f"stagegate-live/{self.name}/{part}"

    def commit(self, part: str, files: Mapping[str, bytes], before: str = "") -> str:
        """A commit on a branch of this run, made by the API."""
        parent = before or self.hub.head(self.branch(part)) or ""
        return self.hub.create_commit(self.branch(part), parent, "test: live check", "", files)


class Differs(Exception):
    """GitHub behaved differently."""


@dataclass(frozen=True)
class Check:
    """A behaviour that stagegate relies on; `run` returns the observed behaviour, or raises Differs."""

    name: str
    expected: str
    run: Callable[[Scene], str]


def check(expected: str) -> Callable[[Callable[[Scene], str]], Check]:
    """Make a check of a function, named as the function is."""

    def named(function: Callable[[Scene], str]) -> Check:
        return Check(function.__name__.replace("_", "-"), expected, function)

    return named


def need(held: bool, seen: object) -> None:
    """Raise Differs with the observed behaviour, unless the condition is true."""
    if not held:
        raise Differs(str(seen))
