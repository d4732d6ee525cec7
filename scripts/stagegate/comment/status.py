"""Where every release of an app is, for `/status`: what could not be read is said to be unknown."""

from __future__ import annotations

from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.marks import marks
from stagegate.policy import candidate, evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rules import freeze, window
from stagegate.promotion import app_state
from stagegate.promotion.apps import App
from stagegate.proposal import names as branches

UNKNOWN = "unknown"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One environment: what its pins name, what its gate said of that, who holds it, what is proposed.

    `stuck`: a release that could enter, has not, and for which nothing is open; with what it waits for.
    """

    environment: str
    version: str
    verdict: str
    since: str = ""
    held: str = ""
    proposal: str = ""
    stuck: str = ""


class AppOverview(msgspec.Struct, frozen=True, kw_only=True):
    """An app's rows; `trouble` where nothing could be read."""

    app: str
    rows: tuple[Row, ...] = ()
    trouble: str = ""

    @property
    def is_known(self) -> bool:
        """Whether every row could be read."""
        return not self.trouble and not any(UNKNOWN in (row.verdict, row.proposal) for row in self.rows)


def read(app: App, connections: Connections, environment: str, now: datetime) -> AppOverview:
    """The rows of one app, all environments or one. Never a Stop: trouble is part of the answer."""
    name = app.settings.app
    try:
        state = app_state.read(connections, app.settings)
        names = [environment] if environment else [place.name for place in state.settings.environments]
        facts, tips = app_state.facts(connections, state, "status", names[0], "", names[1:])
    except Stop as stop:
        return AppOverview(app=name, trouble=f"{stop.what} {stop.why}")
    rows = []
    for place in names:
        standing = facts.standing(place)
        held = marks.holds(facts, place, now)
        open_ = [b for b in (branches.promotion(name, place), branches.rollback(name, place)) if b in tips]
        verdict = evidence_for.of(facts, place, standing.version) if standing.version else None
        rows.append(
            Row(
                environment=place,
                version=standing.version or standing.commit[:12] or standing.trouble,
                verdict=_words(verdict.state) if verdict else UNKNOWN,
                since=verdict.since if verdict else "",
                held="; ".join(marks.describe(mark) for mark in held),
                proposal=(proposal := _proposal(connections, open_, state.base)),
                stuck="" if proposal else _stuck(facts, place, now),
            )
        )
    return AppOverview(app=name, rows=tuple(rows))


def _stuck(facts: PromotionFacts, place: str, now: datetime) -> str:
    """The release that the next evaluation would propose, and what stops it; empty where none waits.

    The newest tag of a first environment may be a release that is still being built: it waits only where something
    stops it.
    """
    here = msgspec.structs.replace(facts, environment=place, mode="evaluate")
    version = candidate.by_strategy(here, now).version
    if not version:
        return ""
    held = marks.holds(facts, place, now)
    subject = Subject(
        environment=place, kind="promote", version=version, before=facts.standing(place).version
    )
    times = [rule.check(subject, here, now) for rule in (freeze, window)]
    stops = [f"held {marks.describe(mark)}" for mark in held] + [r.detail for r in times if r.state != "pass"]
    if not stops and not facts.policy_of(place).after:
        return ""
    return f"{version}: {'; '.join(stops) or 'the next evaluation proposes it'}"


def _words(state: str) -> str:
    return "no evidence" if state == "none" else state


def _proposal(connections: Connections, names: list[str], base: str) -> str:
    """The open pull requests of these branches, with the state of their status."""
    try:
        return ", ".join(
            f"{pull.url} ({_state(connections, pull)})"
            for name in names
            for pull in connections.pins.pulls(head=name, base=base)
        )
    except Stop:
        return UNKNOWN


def _state(connections: Connections, pull: hub.Pull) -> str:
    states = (one.state for one in connections.pins.statuses(pull.head_sha) if one.context == branches.STATUS)
    return next(states, "no status")
