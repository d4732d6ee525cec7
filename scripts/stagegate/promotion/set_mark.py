"""The modes that decide nothing about a version: hold, unhold, ban, unban, override, evaluate."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.evidence import accepted
from stagegate.marks import deleted, marks, store
from stagegate.marks import until as expiry
from stagegate.model import Change, Mark, Result, parse_version
from stagegate.pins import pinned_version
from stagegate.policy import permissions, rules
from stagegate.policy.facts import Placed
from stagegate.promotion import app_state, audit_pins, mark_result, reevaluate
from stagegate.promotion.app_state import AppState
from stagegate.proposal import write
from stagegate.runner.context import Context
from stagegate.settings import Settings

Mode = Literal["hold", "unhold", "ban", "unban", "override", "evaluate"]
_MARKS = ("hold", "ban", "override")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. `environment` may be `all`, and `all/<environment>` holds every app there."""

    mode: Mode
    environment: str = ""
    version: str = ""
    reason: str = ""
    until: str = ""
    rules: str = ""
    verify_workflow: str = ""
    dry_run: bool = False
    fail_on_waiting: bool = False


def run(connections: Connections, known: Settings, context: Context, asked: Request, now: datetime) -> Result:
    """Set or remove the mark (by somebody who may), then judge the open promotions it concerns again."""
    state = app_state.read(connections, known)
    connections = connections.limited(state.settings)
    changes: tuple[Change, ...] = ()
    what = ""
    if not asked.dry_run:
        accepted.demand_writer(connections, state.settings)
    if asked.mode != "evaluate":
        permissions.demand(connections.pins, state.settings, context.people, asked.mode)
        changes, what = _mark(connections, state, context.person, asked, now)
    elif not asked.dry_run:
        files = [
            f
            for name in _concerned(state, asked)
            for f in pinned_version.files_of(state.settings.environment(name))
        ]
        commit = state.base, state.head
        changes = write.resume(
            connections.pins,
            state.settings.app,
            *commit,
            dict.fromkeys(files),
            context,
            asked.verify_workflow,
        )
    evaluated = reevaluate.again(
        connections,
        state,
        _concerned(state, asked),
        context,
        now,
        verify_workflow=asked.verify_workflow,
        dry_run=asked.dry_run,
    )
    present = connections.pins.refs(marks.PREFIX)
    findings = deleted.vanished(connections.pins, state.settings.app, present)
    if asked.mode == "evaluate":
        findings += audit_pins.unproven(connections, state, _concerned(state, asked), now)
    told = mark_result.Told(
        mode=asked.mode,
        environment=asked.environment,
        version=asked.version,
        what=what,
        changes=changes,
        evaluated=evaluated,
        findings=findings,
        pushed=context.event_name == "push",
    )
    return mark_result.result(
        state, told, dry_run=asked.dry_run, fail_on_waiting=asked.fail_on_waiting, calls=connections.calls
    )


def _mark(
    connections: Connections, state: AppState, actor: str, asked: Request, now: datetime
) -> tuple[tuple[Change, ...], str]:
    """Write what is asked; the changes, and a sentence."""
    ref, what = _place(state.settings, asked)
    there = store.current(connections.pins, ref)
    if asked.mode in _MARKS:
        mark = _made(actor, asked, now)
        until = f" until {mark.until}" if mark.until else ""
        what = f"{what} by {actor}{until}: {mark.reason}"
        if (mark := marks.besides(there, mark, now)).kind == "rollback":
            what += f"; the rollback to {mark.to} holds too, until somebody lifts both (mode `unhold`)"
        if asked.dry_run:
            return (Change(kind="mark", target=ref, after=asked.mode, done=False),), what
        return store.put(connections.pins, ref, mark, there, now), what
    what = f"{what} by {actor}"
    if asked.mode == "unhold":
        what = _let_go(connections, there, state.settings.app, what, asked, now)
    if asked.dry_run:
        return (Change(kind="mark", target=ref, after="removed", done=False),), what
    return store.take_away(connections.pins, ref, there, actor, now), what


def _made(actor: str, asked: Request, now: datetime) -> Mark:
    """The mark that is asked for. An override ends, also where nobody says when."""
    override = asked.mode == "override"
    until = asked.until or (expiry.OVERRIDE if override else "")
    return marks.make(
        asked.mode,  # type: ignore[arg-type]
        actor,
        asked.reason,
        now,
        until=expiry.read(until, now),
        rules=_rules(asked) if override else (),
    )


def _let_go(
    connections: Connections, there: Placed | None, app: str, what: str, asked: Request, now: datetime
) -> str:
    """What an unhold lifts, and what holds all the same."""
    scope, _, environment = asked.environment.rpartition("/")
    others = store.overlapping(connections.pins, scope or app, environment, now)
    stay = [f"{p.app}/{p.environment} {marks.describe(p)}" for p in others if not there or p.ref != there.ref]
    if there is not None and marks.active(there.mark, now):
        what += f"; it was held {marks.describe(there)}"
        if there.mark is not None and there.mark.kind == "rollback":
            what += f"; that was also the hold of the rollback to {there.mark.to}"
    return f"{what}; these holds stay: {'; '.join(stay)}" if stay else what


def _place(settings: Settings, asked: Request) -> tuple[str, str]:
    """The ref of the mark, and what it means."""
    mode, app = asked.mode, settings.app
    if mode in ("hold", "unhold"):
        scope, slash, environment = asked.environment.rpartition("/")
        if slash and scope not in (app, marks.ALL):
            raise _bad(f"environment is {asked.environment!r}", f"before the slash stands {app} or all")
        _need(environment, "environment")
        if environment != marks.ALL:
            settings.environment(environment)
        place = f"{'every app' if scope == marks.ALL else app} in {environment}"
        word = "is held" if mode == "hold" else "is let go"
        return marks.hold_ref(scope or app, environment), f"{place} {word}"
    _need(asked.version, "version")
    parse_version(asked.version, source="version")
    if mode in ("ban", "unban"):
        word = "is banned" if mode == "ban" else "is no longer banned"
        return marks.ban_ref(app, asked.version), f"{app} {asked.version} {word}"
    settings.environment(asked.environment)
    ref = marks.override_ref(app, asked.environment, asked.version)
    said = ", ".join(_rules(asked))
    return ref, f"{said} set aside for {app} {asked.version} in {asked.environment}"


def _rules(asked: Request) -> tuple[str, ...]:
    """Names of rules, each one known. Stop(bad-input)."""
    named = tuple(dict.fromkeys(word for word in asked.rules.replace(",", " ").split() if word))
    unknown = [name for name in named if name not in rules.RULES or not rules.RULES[name].overridable]
    if unknown or not named:
        known = ", ".join(rule.name for rule in rules.RULES.values() if rule.overridable)
        raise _bad(f"rules is {asked.rules!r}", f"an override names one or more of: {known}")
    return named


def _concerned(state: AppState, asked: Request) -> tuple[str, ...]:
    """Environments whose open promotions the request may change."""
    names = tuple(environment.name for environment in state.settings.environments)
    wanted = asked.environment.rpartition("/")[2]
    return names if wanted in ("", marks.ALL) else (state.settings.environment(wanted).name,)


def _need(value: str, name: str) -> None:
    if not value:
        raise _bad(f"Input missing: {name}", "this mode cannot work without it")


def _bad(what: str, why: str) -> Stop:
    return Stop("bad-input", f"{what}.", f"{why[:1].upper()}{why[1:]}.", "Correct it and run again.")
