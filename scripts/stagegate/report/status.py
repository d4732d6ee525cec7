"""Where every version is: the values of the status report. Pure.

`stagegate/status/1` is the JSON form. Times are RFC 3339 in UTC, durations are seconds, `unknown` is a state of
its own: what could not be read is never shown as good.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

GateState = Literal["passed", "adopted", "failed", "revoked", "skipped", "running", "none", "unknown"]
Attention = Literal[
    "unknown", "drift", "failed", "held", "stuck", "unproven", "frozen", "moving", "waiting", "good"
]
PhaseName = Literal["build", "queue", "soak", "freeze", "approval", "roll-out"]


class OpenPromotion(msgspec.Struct, frozen=True, kw_only=True):
    """An open promotion pull request of an environment; `state` is that of its status `stagegate/pins`."""

    number: int
    url: str
    version: str
    state: str
    opened: str
    detail: str = ""


class EnvironmentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One environment of an app: what its pins name, what its gate found, what stops or follows.

    `since`: when this version became good here; `pinned_at`: when the pins came to name it. `soaks_until`, `hold`
    and `freeze` (a closed window too) are empty where there is none. `drift`: the environment does not run what Git
    names. `suspect`: a look after the gate found a problem. `stuck`: nothing moves until a person acts. `trouble`:
    what could not be read. `next_version`: the version that may enter next. `next`: what happens next, or what a
    person has to do, and `command` the comment that does it.
    """

    name: str
    after: tuple[str, ...] = ()
    production: bool = False
    version: str = ""
    commit: str = ""
    tag_url: str = ""
    pinned_at: str = ""
    gate: GateState = "unknown"
    gate_detail: str = ""
    gate_at: str = ""
    gate_url: str = ""
    checks: int = 0
    checks_passed: int = 0
    since: str = ""
    by: str = ""
    soaks_until: str = ""
    hold: str = ""
    freeze: str = ""
    promotion: OpenPromotion | None = None
    next_version: str = ""
    next: str = ""
    command: str = ""
    drift: str = ""
    suspect: str = ""
    stuck: str = ""
    trouble: str = ""

    @property
    def attention(self) -> Attention:
        """The one word that decides colour and order: what needs a person most comes first."""
        words: tuple[tuple[Attention, object], ...] = (
            ("unknown", self.trouble or self.gate == "unknown"),
            ("drift", self.drift),
            ("failed", self.suspect or self.gate in ("failed", "revoked")),
            ("held", self.hold),
            ("stuck", self.stuck),
            ("unproven", self.gate in ("none", "skipped")),
            ("frozen", self.freeze),
            ("moving", self.gate == "running"),
            ("waiting", self.promotion or self.soaks_until),
        )
        return next((word for word, applies in words if applies), "good")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a release on its road, with time and link: committed, tagged, built, proposed, promoted, gate."""

    name: str
    at: str = ""
    url: str = ""
    state: Literal["done", "failed", "waiting", "unknown"] = "done"
    environment: str = ""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Where a part of a release's time went, in seconds; `environment` is the one it was on its way to."""

    name: PhaseName
    seconds: float
    environment: str = ""


class ReleaseCommit(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that a release brought, or that is in no release yet."""

    sha: str
    subject: str = ""
    author: str = ""
    at: str = ""


class ReleaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A release, what it brought, its road so far (oldest step first), and where its time went."""

    version: str
    commit: str
    url: str = ""
    commits: tuple[ReleaseCommit, ...] = ()
    pulls: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    phases: tuple[Phase, ...] = ()


class AppStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An app with its environments in order, its newest releases, and the commits that no release has yet.

    `trouble` where nothing could be read; `notes` name what else is not known.
    """

    app: str
    repository: str = ""
    environments: tuple[EnvironmentStatus, ...] = ()
    bans: tuple[str, ...] = ()
    releases: tuple[ReleaseStatus, ...] = ()
    unreleased: tuple[ReleaseCommit, ...] = ()
    unreleased_pulls: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def is_known(self) -> bool:
        """Whether everything about its environments could be read."""
        return not self.trouble and all(place.attention != "unknown" for place in self.environments)


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every app that was asked about, at one moment."""

    schema: Literal["stagegate/status/1"] = "stagegate/status/1"
    at: str
    repository: str
    run_url: str = ""
    apps: tuple[AppStatus, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every environment name, in the order in which the apps name them."""
        return tuple(dict.fromkeys(place.name for app in self.apps for place in app.environments))


def failing(report: StatusReport, words: Sequence[str]) -> list[str]:
    """What `fail-on` asks for, as lines such as `shop prod: drift`; unknown always counts."""
    lines = [
        f"{app.app} {place.name}: {word}"
        for app in report.apps
        for place in app.environments
        for word in _counted(place, words)
    ]
    return lines + [f"{app.app}: unknown" for app in report.apps if words and app.trouble]


def _counted(place: EnvironmentStatus, words: Sequence[str]) -> list[str]:
    """The words that fail for an environment: its own state, and drift or stuck where another state hides them."""
    applies = {"drift": bool(place.drift), "stuck": bool(place.stuck)}
    matching = [word for word in words if applies.get(word, place.attention == word)]
    return matching + (["unknown"] if words and place.attention == "unknown" else [])
