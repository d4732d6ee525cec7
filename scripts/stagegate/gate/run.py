"""The use case of staging-gate: carries out an intent and records the verdict."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial

from stagegate.errors import Stop
from stagegate.gate import apply, describe, gate_result, junit, prepare, trial, verdict, writer
from stagegate.gate.facts import Facts
from stagegate.gate.intent import Intent
from stagegate.gate.prepare import World
from stagegate.gate.request import GateRequest
from stagegate.model import Result, rfc3339
from stagegate.runner import log
from stagegate.runner.context import Context


def apply_intent(
    intent: Intent, request: GateRequest, facts: Facts, world: World, context: Context
) -> Result:
    """Carry out an intent; in a dry run only list it. A Stop never leaves the status pending."""
    if request.dry_run:
        changes = apply.intended(facts.release, request.environment, intent.kind)
        return gate_result.planned(facts, request.mode, intent, changes, world.calls())
    if intent.do == "complete":
        return _complete(intent, request, facts, world, context)
    if intent.do == "proven" and intent.record is not None:
        return gate_result.proven(facts, intent.record, world.calls())
    if intent.do == "busy":
        return gate_result.busy(facts, facts.others.run, world.calls())
    if intent.do == "object" and facts.objection is not None:
        return gate_result.objected(facts, facts.objection, world.calls())
    return _gate(intent, request, facts, world, context)


def _complete(intent: Intent, request: GateRequest, facts: Facts, world: World, context: Context) -> Result:
    """Complete the record of an earlier attempt of this run, instead of writing a second one."""
    record = intent.record
    assert record is not None and record.evidence is not None  # noqa: S101  `plan` saw to it
    hub = writer.open_writer(request, facts, world.app, context)
    changes = apply.finish(hub, record.id, record.evidence, context.run_url, done=bool(record.since))
    is_repeated = intent.already and record.evidence.outcome == "passed" and not changes
    return gate_result.result(
        facts,
        verdict.of_record(record.evidence),
        record.evidence,
        None,
        deployment=record.id,
        changes=changes,
        calls=world.calls(),
        reason="already-passed" if is_repeated else "",
    )


def _gate(intent: Intent, request: GateRequest, facts: Facts, world: World, context: Context) -> Result:
    """Wait, test, record."""
    release, name, started = facts.release, request.environment, datetime.now(timezone.utc)
    kind = intent.kind
    recorded = kind != "look"
    if not recorded and request.judges:
        log.say(
            f"{name} has not changed since the last verdict, so this run only checks the "
            "environment again and does not change the verdict"
        )
    trying = None if kind == "skip" else prepare.trial(request, kind, facts, world, context)
    hub = writer.open_writer(request, facts, world.app, context)
    before = apply.begin(hub, release, name, context.run_url) if recorded else ()
    try:
        tried = trial.run(trying) if trying else None
    except Exception as error:
        if isinstance(error, Stop) and error.verdict.outcome == "waiting":
            changes = apply.leave(hub, release, name, error, context.run_url) if recorded else ()
            changes = (*before, *changes)
            return gate_result.left(facts, error, changes, world.calls(), fails=request.fail_on_waiting)
        if recorded:
            apply.give_up(hub, release, name, error, context.run_url)
        raise
    conclusion = tried.conclusion if tried else verdict.skipped(release, name, context.person, request.reason)
    proof = describe.evidence(
        release, name, kind, conclusion, tried,
        started=rfc3339(started), finished=rfc3339(datetime.now(timezone.utc)),
        run=context.run, actor=context.person, policy=facts.policy, files=facts.files, promotion=facts.promotion,
        reason=request.reason,
    )  # fmt: skip
    if request.junit:
        junit.write(context.inside(request.junit, what="junit"), f"gate {name}", proof.checks)
    say = partial(gate_result.result, facts, conclusion, proof, tried)
    try:
        again = writer.open_writer(request, facts, world.app, context, again=True)
        number, changes = apply.record(again, proof, context.run_url, facts.environment.is_production)
    except Stop as stop:
        return gate_result.unrecorded(say(calls=world.calls(), changes=(*before, *stop.written)), stop)
    return say(deployment=number, changes=(*before, *changes), calls=world.calls())


def wants_rollback(request: GateRequest, facts: Facts, result: Result) -> bool:
    """Whether the settings demand a rollback after a failed gate, or of an unproven release."""
    gate = facts.environment.gate
    if not request.judges or request.dry_run or (result.evidence and result.evidence.kind == "look"):
        return False
    if gate_result.failed(result):
        return gate.on_failure == "rollback"
    return gate.on_unproven == "rollback" and facts.objection is not None and result.evidence is None
