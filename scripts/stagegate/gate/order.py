"""The request and the result of a wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from stagegate.argocd_app.source_seen import SourceSeen
from stagegate.argocd_app.status import Application
from stagegate.gate.expected import Commit
from stagegate.gate.plan import Judgement
from stagegate.model import ApplicationSeen

Json = dict[str, Any]
Commits = dict[tuple[str, str], Commit]  # by Application and source, because each source shows other files


class StuckPod(msgspec.Struct, frozen=True, kw_only=True):
    """A pod of the release that does not start: what Argo CD's resource tree says of it. `for_good`: waiting does
    not heal it, as for an image that is not in the registry."""

    text: str = ""
    for_good: bool = False


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """How the wait ended. `reason` is a word of rollout_reasons.REASONS; `documents` are the last ones seen, raw.

    When enough Applications are ready, `seen` and `documents` are theirs alone: the checks look at no others.
    `paused` are the seconds a canary took, which no timeout counts. `failing` names the workload of this release
    that was failing when the time was over; without one a timeout says nothing about the release. The outcome
    `paused` is a canary that pauses for longer than this wait stays; another wait goes on.
    """

    outcome: Literal["ready", "failed", "superseded", "timeout", "paused"]
    reason: str
    detail: str
    seen: tuple[ApplicationSeen, ...]
    documents: tuple[Json, ...] = ()
    seconds: float = 0.0
    paused: float = 0.0
    failing: str = ""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to wait for: Applications by name, how many of them must be ready (0: all), for how many seconds.

    `commit` says what a Git source's revision holds; `pods` returns a judgement on the pods of an Application
    that looks ready, `stuck` a pod of one that does not get there; `pinned` reads the version that the pin in Git
    names now (empty: not known); `parent` is the app-of-apps that applies the pins: it is refreshed while they are
    not applied, and may still create a missing Application; `named` is the version that an Application's own spec
    names.
    """

    environment: str
    names: tuple[str, ...]
    minimum: int = 0
    timeout: float
    commit: Callable[[SourceSeen, Application], Commit]
    pods: Callable[[str], Judgement]
    stuck: Callable[[str], StuckPod] = lambda _: StuckPod()
    parent: str = ""
    named: Callable[[Json], str] = lambda _: ""
    pinned: Callable[[], str] = lambda: ""
