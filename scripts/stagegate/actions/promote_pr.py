"""promote-pr: decides which release enters an environment, moves its pins, and proposes or commits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Literal

import msgspec

from stagegate.clients.connections import Connections, open_connections
from stagegate.errors import Stop
from stagegate.evidence import accepted
from stagegate.marks import marks
from stagegate.model import Result
from stagegate.pins import pinned_version
from stagegate.policy import decide, permissions, turns
from stagegate.promotion import apps, combined_result, local, reevaluate, set_mark
from stagegate.promotion import read as facts
from stagegate.promotion import result as telling
from stagegate.promotion.apps import App
from stagegate.proposal import body_facts, write
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.settings import Settings

ATTEMPTS = 5


class PromotePr(PinsInputs, frozen=True, kw_only=True):
    """Inputs of promote-pr."""

    app: str = ""
    environment: str = ""
    version: str = ""
    mode: Literal["promote", "rollback", "hold", "unhold", "ban", "unban", "override", "evaluate"] = "promote"
    reason: str = ""
    until: str = ""
    rules: str = ""
    facts: str = ""
    save_facts: str = ""
    local: bool = False
    check: bool = False
    verify_workflow: str = "production.yml"
    fail_on_waiting: bool = False


def main(inputs: PromotePr, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report; begins again at the facts when somebody else was faster."""
    if (inputs.facts or inputs.save_facts) and inputs.mode not in ("promote", "rollback"):
        raise Stop(
            "bad-input",
            f"Facts are neither saved nor replayed with mode {inputs.mode}.",
            "They are those of one promotion or rollback.",
            "Leave `facts` and `save-facts` empty, or use the mode promote or rollback.",
        )
    if inputs.facts:
        now = datetime.now(timezone.utc)
        known = telling.load(context, inputs.facts)
        decision = decide.decide(known, now)
        return telling.result(known, decision, telling.planned(known, decision), now, dry_run=True)
    found = meant(inputs, apps.here(context, inputs.config))
    if inputs.local:
        settings = found[0].settings
        return local.edit(
            settings,
            context,
            inputs.environment,
            inputs.version,
            dry_run=inputs.dry_run,
            check=inputs.check,
        )
    return each(inputs, context, found)


def meant(inputs: PromotePr, found: Sequence[App]) -> tuple[App, ...]:
    """The app of that name, or the only one; every one to be judged again without a name, and for a mark on all."""
    scope, _, environment = inputs.environment.rpartition("/")
    on_all = inputs.mode in ("hold", "unhold") and scope == marks.ALL
    if on_all or (inputs.mode == "evaluate" and not inputs.app):
        return apps.having(found, environment)
    return (apps.choose(found, inputs.app),)


def each(inputs: PromotePr, context: Context, found: Sequence[App]) -> Result:
    """One mode for all these apps: a mark is set once, then every app's promotions are judged again.

    A comment's command begins here too. What stops one app stops no other, and makes the result its own.
    """
    asked = [msgspec.structs.replace(inputs, config=app.config) for app in found]
    if inputs.mode != "evaluate":
        for one, app in zip(asked[1:], found[1:], strict=True):
            permissions.permit(connect(one, app.settings, context), app.settings, context, inputs.mode)
    results = [] if inputs.mode == "evaluate" else [carry_out(asked[0], context, found[0].settings)]
    for one, app in list(zip(asked, found, strict=True))[len(results) :]:
        try:
            again = msgspec.structs.replace(one, mode="evaluate")
            results.append(carry_out(again, context, app.settings))
        except Stop as stop:
            if len(found) == 1:
                raise
            results.append(combined_result.stopped(stop, app.settings.app))
    return combined_result.one(results)


def carry_out(inputs: PromotePr, context: Context, settings: Settings) -> Result:
    """One mode, against GitHub, for the app that `settings` name."""
    connections = connect(inputs, settings, context)
    now = connections.pins.now()
    if inputs.mode in ("promote", "rollback") and not inputs.dry_run:
        permissions.ask_dispatcher(connections, settings, context, inputs.mode)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            if inputs.mode not in ("promote", "rollback"):
                done = set_mark.run(connections, settings, context, request(inputs), now)
                if inputs.mode == "evaluate":
                    done = go_on(inputs, context, connections, settings, now, done)
                return done
            return once(inputs, context, connections, settings, now)
        except Stop as stop:
            if stop.reason != "stale-base" or attempt == ATTEMPTS:
                raise
            log.say(f"Somebody else wrote first ({stop.why}): reading everything again.")
    raise AssertionError("unreachable: the last attempt returns or raises")


def go_on(
    inputs: PromotePr,
    context: Context,
    connections: Connections,
    settings: Settings,
    now: datetime,
    result: Result,
) -> Result:
    """After an evaluation: with strategy `each` the next release is proposed where nothing is open any more."""
    for name in turns.free(connections, settings, inputs.environment) if turns.goes_on(result) else ():
        asked = msgspec.structs.replace(inputs, mode="promote", environment=name, version="")
        result = turns.joined(result, once(asked, context, connections, settings, now))
    return result


def once(
    inputs: PromotePr, context: Context, connections: Connections, settings: Settings, now: datetime
) -> Result:
    """One walk from facts to report. StaleHead when what was read is no longer so."""
    reading = facts.read(connections, settings, inputs.mode, inputs.environment, inputs.version, now)
    known = reading.facts
    telling.save(context, inputs.save_facts, known)
    decision = decide.decide(known, now)
    text, rest = body_facts.proposal(connections, reading, decision, now, context.run_url)
    if inputs.dry_run or not decision.write:
        done = telling.planned(known, decision)
        if known.subject is None and not inputs.dry_run:
            files = pinned_version.files_of(known.policy_of(known.environment))
            commit = known.base, known.base_head
            resumed = write.resume(
                connections.pins, known.app, *commit, files, context, inputs.verify_workflow
            )
            done = msgspec.structs.replace(done, changes=resumed)
    else:
        accepted.demand_writer(connections, known.settings)
        done = write.write(
            connections.pins,
            known,
            decision,
            text,
            context=context,
            now=now,
            reason=inputs.reason,
            verify_workflow=inputs.verify_workflow,
        )
        if decision.merge == "stagegate" or known.mode == "rollback":
            done = reevaluate.follow(connections, settings, known, done, context, now, inputs.verify_workflow)
    return telling.result(
        known,
        decision,
        done,
        now,
        text=text,
        rest=rest,
        dry_run=inputs.dry_run,
        fail_on_waiting=inputs.fail_on_waiting,
        calls=connections.calls,
    )


def request(inputs: PromotePr) -> set_mark.Request:
    """The inputs of the modes that set marks or judge again."""
    return msgspec.convert(msgspec.structs.asdict(inputs), set_mark.Request)


def connect(inputs: PromotePr, settings: Settings, context: Context) -> Connections:
    """The repositories and registries, with the tokens of the inputs."""
    connections = open_connections(settings, context, inputs)
    return replace(
        connections, clone=context.workspace if context.repository == connections.pins.repository else None
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("promote-pr", PromotePr, main)
