"""The modes that decide nothing about a version: hold, unhold, ban, unban, override, evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.evidence import accepted
from stagegate.marks import authentic, deleted, marks, store
from stagegate.marks import until as expiry
from stagegate.marks.placed import Placed
from stagegate.model import Change, Mark, Result, moment, parse_version
from stagegate.pins import pinned_version
from stagegate.policy import permissions, rules
from stagegate.promotion import audit_pins, mark_result, permit, reevaluate
from stagegate.promotion.app_state import AppState
from stagegate.promotion.reevaluate import Evaluated
from stagegate.promotion.request import PromotionRequest
from stagegate.promotion.run import PromotionRun
from stagegate.proposal import write
from stagegate.runner.context import Context
from stagegate.settings import Settings

_MARKS = ("hold", "ban", "override")


def run(started: PromotionRun, state: AppState) -> tuple[Result, tuple[Evaluated, ...]]:
    """Set or remove the mark (with permission), then judge the open promotions it concerns again.

    Returns the result, and what became of each open promotion.
    """
    request, context, now = started.request, started.context, started.now
    connections = started.connections.limited(state.settings)
    changes: tuple[Change, ...] = ()
    what = ""
    if not request.dry_run:
        accepted.demand_writer(connections.pins, state.settings, connections.app)
    if request.mode != "evaluate":
        changes, what = _mark(connections, state, context, request, now)
    elif not request.dry_run:
        files = [
            f
            for name in concerned(state, request)
            for f in pinned_version.files_of(state.settings.environment(name))
        ]
        commit = state.base, state.head
        changes = write.resume(
            connections.pins,
            state.settings.app,
            *commit,
            dict.fromkeys(files),
            context,
            request.verify_workflow,
        )
    present = connections.pins.ref_files(marks.PREFIX, marks.FILE)
    if not request.dry_run:
        changes += _renewed(connections, state.settings, present, now)
    authentic.read_ahead(connections.pins, present, state.settings.app)
    evaluated = reevaluate.again(replace(started, connections=connections), state, concerned(state, request))
    findings = deleted.vanished(connections.pins, state.settings.app, present)
    findings += authentic.unsigned(connections.pins) if changes and request.mode != "evaluate" else ()
    if request.mode == "evaluate":
        due = audit_pins.due(started, state, concerned(state, request))
        findings += audit_pins.unproven(connections, state, due, now)
    outcome = mark_result.MarkOutcome(
        mode=request.mode,
        environment=request.environment,
        version=request.version,
        what=what,
        changes=changes,
        evaluated=evaluated,
        findings=findings,
        pushed=context.event_name == "push",
    )
    done = mark_result.result(
        state,
        outcome,
        dry_run=request.dry_run,
        fail_on_waiting=request.fail_on_waiting,
        calls=connections.calls,
    )
    return done, evaluated


def _renewed(
    connections: Connections, settings: Settings, files: Mapping[str, hub.RefFile], now: datetime
) -> tuple[Change, ...]:
    """Marks of the old form that count, written again in the form of now."""
    old = {
        ref: file
        for ref, file in files.items()
        if (mark := marks.decode(file.content)) is not None and authentic.is_old_form(mark)
    }
    writers = accepted.accepted(settings, connections.app, connections.pins) if old else ()
    renewed = authentic.of_app(connections.pins, old, settings.app, writers, now)
    return tuple(change for one in renewed for change in store.renew(connections.pins, one))


def _mark(
    connections: Connections, state: AppState, context: Context, request: PromotionRequest, now: datetime
) -> tuple[tuple[Change, ...], str]:
    """Write what is requested, with permission; the changes, and a sentence."""
    ref, what = _place(state.settings, request)
    existing = demanded(connections, state.settings, context, request, now)
    actor = context.person
    if request.mode in _MARKS:
        mark = _beside_others(existing, _made(actor, request, now), now)
        until = f" until {mark.until}" if mark.until else ""
        what = f"{what} by {actor}{until}: {mark.reason}"
        if (mark := marks.besides(existing, mark, now)).kind == "rollback":
            what += (
                f"; the rollback to {mark.to} also holds the environment, until a person lifts both "
                "holds with the mode `unhold`"
            )
        if request.dry_run:
            return (Change(kind="mark", target=ref, after=request.mode, done=False),), what
        return store.put(connections.pins, ref, mark, existing, now), what
    what = f"{what} by {actor}"
    if request.mode == "unhold":
        what = _let_go(connections, state.settings, existing, what, request, now)
    if request.dry_run:
        return (Change(kind="mark", target=ref, after="removed", done=False),), what
    return store.take_away(connections.pins, ref, existing, actor, now), what


def demanded(
    connections: Connections, policy: Settings, context: Context, request: PromotionRequest, now: datetime
) -> Placed | None:
    """The mark as it is now, after the people who answer for the run were found to have the permission.

    Stop(not-authorised), Stop(bad-input).
    """
    pins, mode = connections.pins, request.mode
    if mode != "unhold":
        permissions.demand(pins, policy, context.people, mode)
    ref, _ = _place(policy, request)
    existing = store.current(pins, ref, accepted.accepted(policy, connections.app, pins), now)
    if mode == "unhold":
        permit.demand_of_lifter(pins, policy, context.people, existing, now)
    return existing


def _beside_others(existing: Placed | None, mark: Mark, now: datetime) -> Mark:
    """A hold that takes the place of somebody else's names it, and lasts at least as long: a hold is not shortened
    or lifted by putting another over it."""
    was = existing.mark if existing else None
    if was is None or (was.kind, mark.kind) != ("hold", "hold") or not marks.active(was, now):
        return mark
    others = [owner for owner in permit.owners(was) if owner.lower() != mark.owner.lower()]
    if not others:
        return mark
    until = max(was.until, mark.until, key=moment) if was.until and mark.until else ""
    earlier = was.reason[was.reason.find(permit.TAKEN_OVER) :] if permit.TAKEN_OVER in was.reason else ""
    if was.owner.lower() != mark.owner.lower():
        earlier = f"{permit.TAKEN_OVER}{was.owner}: {was.reason}"
    return msgspec.structs.replace(mark, reason=mark.reason + earlier, until=until)


def _made(actor: str, request: PromotionRequest, now: datetime) -> Mark:
    """The requested mark. An override always ends, by default after 24 hours."""
    override = request.mode == "override"
    until = request.until or (expiry.OVERRIDE if override else "")
    return marks.make(
        request.mode,  # type: ignore[arg-type]
        actor,
        request.reason,
        now,
        until=expiry.read(until, now),
        rules=_rules(request) if override else (),
    )


def _let_go(
    connections: Connections,
    settings: Settings,
    existing: Placed | None,
    what: str,
    request: PromotionRequest,
    now: datetime,
) -> str:
    """The holds that an unhold lifts, and those that stay."""
    scope, _, environment = request.environment.rpartition("/")
    writers = accepted.accepted(settings, connections.app, connections.pins)
    others = store.overlapping(connections.pins, scope or settings.app, environment, writers, now)
    stay = [
        f"{p.app}/{p.environment} {marks.describe(p)}"
        for p in others
        if not existing or p.ref != existing.ref
    ]
    if existing is not None and marks.active(existing.mark, now):
        what += f"; the environment was held {marks.describe(existing)}"
        if existing.mark is not None and existing.mark.kind == "rollback":
            what += f"; the same hold belonged to the rollback to {existing.mark.to}"
    return f"{what}; these holds stay in force: {'; '.join(stay)}" if stay else what


def _place(settings: Settings, request: PromotionRequest) -> tuple[str, str]:
    """The ref of the mark, and what it means."""
    mode, app = request.mode, settings.app
    if mode in ("hold", "unhold"):
        scope, slash, environment = request.environment.rpartition("/")
        if slash and scope not in (app, marks.ALL):
            raise _bad(
                f"environment is {request.environment!r}", f"the part before the slash must be {app} or all"
            )
        _need(environment, "environment")
        if environment != marks.ALL:
            settings.environment(environment)
        place = f"{'every app' if scope == marks.ALL else app} in {environment}"
        word = "is held" if mode == "hold" else "is no longer held"
        return marks.hold_ref(scope or app, environment), f"{place} {word}"
    _need(request.version, "version")
    parse_version(request.version, source="version")
    if mode in ("ban", "unban"):
        word = "is banned" if mode == "ban" else "is no longer banned"
        return marks.ban_ref(app, request.version), f"{app} {request.version} {word}"
    settings.environment(request.environment)
    ref = marks.override_ref(app, request.environment, request.version)
    named = ", ".join(_rules(request))
    return ref, f"the override sets aside {named} for {app} {request.version} in {request.environment}"


def _rules(request: PromotionRequest) -> tuple[str, ...]:
    """Names of rules, each one known. Stop(bad-input)."""
    named = tuple(dict.fromkeys(word for word in request.rules.replace(",", " ").split() if word))
    unknown = [name for name in named if name not in rules.RULES or not rules.RULES[name].overridable]
    if unknown or not named:
        overridable = ", ".join(rule.name for rule in rules.RULES.values() if rule.overridable)
        raise _bad(
            f"rules is {request.rules!r}", f"an override must name one or more of these rules: {overridable}"
        )
    return named


def concerned(state: AppState, request: PromotionRequest) -> tuple[str, ...]:
    """Environments whose open promotions the request may change."""
    names = tuple(environment.name for environment in state.settings.environments)
    wanted = request.environment.rpartition("/")[2]
    return names if wanted in ("", marks.ALL) else (state.settings.environment(wanted).name,)


def _need(value: str, name: str) -> None:
    if not value:
        raise _bad(f"Input missing: {name}", "this mode requires it")


def _bad(what: str, why: str) -> Stop:
    return Stop(
        "bad-input",
        f"{what}.",
        f"{why[:1].upper()}{why[1:]}.",
        "Correct the input, then run promote-pr again.",
    )
