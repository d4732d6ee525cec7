"""The use case of promote-pr, of a comment command, and of a rollback that a gate requires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.errors import VERDICTS, Stop
from stagegate.evidence import accepted
from stagegate.marks import marks
from stagegate.model import PullRequestText, Result
from stagegate.pins import pinned_version
from stagegate.policy import decide
from stagegate.policy.decide import Decision
from stagegate.promotion import (
    app_state,
    apps,
    combined_result,
    next_release,
    permit,
    read,
    reevaluate,
    result,
    run,
    set_mark,
)
from stagegate.promotion.apps import App
from stagegate.promotion.read import PromotionReading
from stagegate.promotion.request import PromotionRequest
from stagegate.promotion.run import PromotionRun
from stagegate.proposal import body_facts, write
from stagegate.proposal.write import Applied
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.runner.retries import Retries
from stagegate.settings import Settings


def select(request: PromotionRequest, every_app: Sequence[App]) -> tuple[App, ...]:
    """The apps of a request: the one it names, or the only one. Every app for an evaluation without a name, and for
    a hold on all apps. Stop(bad-input)."""
    scope, _, environment = request.environment.rpartition("/")
    on_all = request.mode in ("hold", "unhold") and scope == marks.ALL
    if on_all or (request.mode == "evaluate" and not request.app):
        return apps.having(every_app, environment)
    return (apps.choose(every_app, request.app),)


def replay(request: PromotionRequest, context: Context, path: str, now: datetime) -> Result:
    """The decision on facts that were saved to a file; nothing is read from GitHub and nothing is written."""
    facts = result.load(context, path)
    decision = decide.decide(facts, now)
    request = msgspec.structs.replace(request, dry_run=True, fail_on_waiting=False)
    return result.result(facts, decision, result.planned(facts, decision), now, request)


def for_apps(
    request: PromotionRequest, inputs: PinsInputs, context: Context, selected: Sequence[App]
) -> Result:
    """One request for these apps: a mark is set once, then the open promotions of every app are judged again.

    What stops one app does not stop the others; the result is the worst of all.
    """
    with hub.remembering() as memory:
        results = _for_each(request, inputs, context, selected)
        return combined_result.one(results, memory.calls)


def _for_each(
    request: PromotionRequest, inputs: PinsInputs, context: Context, selected: Sequence[App]
) -> list[Result]:
    """The result of every app, in their order."""
    per_app = [msgspec.structs.replace(inputs, config=app.config) for app in selected]
    app_state.read_ahead(run.connect(per_app[0], selected[0].settings, context), selected)
    if request.mode != "evaluate":
        for one, app in zip(per_app[1:], selected[1:], strict=True):
            connections = run.connect(one, app.settings, context)
            policy = app_state.read(connections, app.settings).settings
            set_mark.demanded(connections, policy, context, request, connections.pins.now())
    first = request.mode != "evaluate"
    results = [for_app(request, per_app[0], context, selected[0].settings)] if first else []
    evaluation = msgspec.structs.replace(request, mode="evaluate")
    for one, app in list(zip(per_app, selected, strict=True))[len(results) :]:
        try:
            results.append(for_app(evaluation, one, context, app.settings, alone=len(selected) == 1))
        except Stop as stop:
            if len(selected) == 1:
                raise
            results.append(combined_result.stopped(stop, app.settings.app))
    return results


def for_app(
    request: PromotionRequest, inputs: PinsInputs, context: Context, settings: Settings, *, alone: bool = True
) -> Result:
    """One request for the app that `settings` name. Begins again at the facts when somebody else wrote first.

    `alone`: no other app is looked at in this run.
    """
    started = run.start(request, inputs, settings, context, alone=alone)
    if request.mode in ("promote", "rollback") and not (request.dry_run or request.authorised):
        permit.demand_of_starter(started.connections, settings, context, request.mode)
    retries = Retries()
    while True:
        try:
            if request.mode in ("promote", "rollback"):
                return promote(started)
            return _marked(started)
        except Stop as stop:
            if stop.reason != "stale-base":
                raise
            retries.wait(stop, "Reading everything")
            hub.forget()


def promote(started: PromotionRun) -> Result:
    """Facts, plan, apply, report of one promotion or rollback. StaleHead when the facts changed meanwhile."""
    request = started.request
    reading = read.read(started)
    result.save(started.context, request.save_facts, reading.facts)
    decision = decide.decide(reading.facts, started.now)
    text, rest = body_facts.proposal(
        started.connections,
        reading.facts,
        reading.difference,
        decision,
        started.now,
        started.context.run_url,
    )
    page = body_facts.complete(
        reading.facts, reading.difference, decision, started.now, started.context.run_url
    )
    shown = result.show(started.context, request, reading.facts.app, page)
    applied = _apply(started, reading, decision, text)
    calls = started.connections.calls
    done = result.result(
        reading.facts, decision, applied, started.now, request, text=text, rest=rest, calls=calls
    )
    return done.with_outputs({**done.outputs, "page": shown})


def _apply(
    started: PromotionRun, reading: PromotionReading, decision: Decision, text: PullRequestText | None
) -> Applied:
    """Write what was decided; in a dry run only list it."""
    facts, request, pins = reading.facts, started.request, started.connections.pins
    if request.dry_run or not decision.write:
        planned = result.planned(facts, decision)
        if facts.subject is not None or request.dry_run:
            return planned
        commit = facts.base, facts.base_head
        files = pinned_version.files_of(facts.policy_of(facts.environment))
        resumed = write.resume(pins, facts.app, *commit, files, started.context, request.verify_workflow)
        return msgspec.structs.replace(planned, changes=resumed)
    accepted.demand_writer(pins, facts.settings, started.connections.app)
    written = write.write(
        pins,
        facts,
        decision,
        text,
        context=started.context,
        now=started.now,
        reason=request.reason,
        verify_workflow=request.verify_workflow,
    )
    if decision.write == "commit" and facts.branch_head:
        left = reevaluate.closed(pins, facts.branch, facts.base, facts.environment)
        return msgspec.structs.replace(written, changes=(*written.changes, *left))
    if decision.merge == "stagegate" or facts.mode == "rollback":
        return reevaluate.follow(started, facts, written)
    return written


def _marked(started: PromotionRun) -> Result:
    """A mark or an evaluation; then the newest release is proposed where it may enter and nothing is open."""
    request = started.request
    state = app_state.read(started.connections, started.settings)
    done, evaluated = set_mark.run(started, state)
    if VERDICTS[done.reason].exit_code:
        return done
    concerned = set_mark.concerned(state, request)
    for name in next_release.free(started.connections, state, request.mode, concerned, evaluated):
        following = msgspec.structs.replace(request, mode="evaluate", environment=name, version="", reason="")
        try:
            done = next_release.joined(done, promote(replace(started, request=following)))
        except Stop as stop:
            done = next_release.stopped(done, name, stop)
    return msgspec.structs.replace(done, calls=started.connections.calls)
