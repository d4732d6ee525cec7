"""promote-pr: decides which release enters an environment, moves its pins, and proposes or commits it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Literal

import msgspec

from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.promotion import (
    access,
    apply,
    apps,
    commanding,
    facts,
    local,
    marks,
    merging,
    plan,
    rights,
    standings,
    telling,
    together,
    turns,
    wording,
)
from stagegate.promotion.access import Access
from stagegate.promotion.apps import App
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
        decision = plan.decide(known, now)
        return telling.result(known, decision, telling.planned(known, decision), now, dry_run=True)
    found = meant(inputs, apps.here(context, inputs.config))
    if inputs.local:
        settings = found[0].settings
        return local.edit(settings, context, inputs.environment, inputs.version, dry_run=inputs.dry_run)
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
            rights.permit(connect(one, app.settings, context), app.settings, context, inputs.mode)
    results = [] if inputs.mode == "evaluate" else [carry_out(asked[0], context, found[0].settings)]
    for one, app in list(zip(asked, found, strict=True))[len(results) :]:
        try:
            again = msgspec.structs.replace(one, mode="evaluate")
            results.append(carry_out(again, context, app.settings))
        except Stop as stop:
            if len(found) == 1:
                raise
            results.append(together.stopped(stop, app.settings.app))
    return together.one(results)


def carry_out(inputs: PromotePr, context: Context, settings: Settings) -> Result:
    """One mode, against GitHub, for the app that `settings` name."""
    doors = connect(inputs, settings, context)
    now = doors.pins.now()
    if inputs.mode in ("promote", "rollback") and not inputs.dry_run:
        rights.ask_dispatcher(doors, settings, context, inputs.mode)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            if inputs.mode not in ("promote", "rollback"):
                done = commanding.run(doors, settings, context, request(inputs), now)
                if inputs.mode == "evaluate":
                    done = go_on(inputs, context, doors, settings, now, done)
                return done
            return once(inputs, context, doors, settings, now)
        except Stop as stop:
            if stop.reason != "stale-base" or attempt == ATTEMPTS:
                raise
            log.say(f"Somebody else wrote first ({stop.why}): reading everything again.")
    raise AssertionError("unreachable: the last attempt returns or raises")


def go_on(
    inputs: PromotePr, context: Context, doors: Access, settings: Settings, now: datetime, result: Result
) -> Result:
    """After an evaluation: with strategy `each` the next release is proposed where nothing is open any more."""
    for name in turns.free(doors, settings, inputs.environment) if turns.goes_on(result) else ():
        asked = msgspec.structs.replace(inputs, mode="promote", environment=name, version="")
        result = turns.joined(result, once(asked, context, doors, settings, now))
    return result


def once(inputs: PromotePr, context: Context, doors: Access, settings: Settings, now: datetime) -> Result:
    """One walk from facts to report. StaleHead when what was read is no longer so."""
    reading = facts.read(doors, settings, inputs.mode, inputs.environment, inputs.version, now)
    known = reading.facts
    telling.save(context, inputs.save_facts, known)
    decision = plan.decide(known, now)
    text, rest = wording.proposal(doors, reading, decision, now, context.run_url)
    if inputs.dry_run or not decision.write:
        done = telling.planned(known, decision)
        if known.subject is None and not inputs.dry_run:
            files = standings.files_of(known.policy_of(known.environment))
            commit = known.base, known.base_head
            resumed = apply.resume(doors.pins, known.app, *commit, files, context, inputs.verify_workflow)
            done = msgspec.structs.replace(done, changes=resumed)
    else:
        access.demand_writer(doors, known.settings)
        done = apply.write(
            doors.pins,
            known,
            decision,
            text,
            context=context,
            now=now,
            reason=inputs.reason,
            verify_workflow=inputs.verify_workflow,
        )
        if decision.merge == "stagegate" or known.mode == "rollback":
            done = merging.follow(doors, settings, known, done, context, now, inputs.verify_workflow)
    return telling.result(
        known,
        decision,
        done,
        now,
        text=text,
        rest=rest,
        dry_run=inputs.dry_run,
        fail_on_waiting=inputs.fail_on_waiting,
        calls=doors.calls,
    )


def request(inputs: PromotePr) -> commanding.Request:
    """The inputs of the modes that set marks or judge again."""
    return msgspec.convert(msgspec.structs.asdict(inputs), commanding.Request)


def connect(inputs: PromotePr, settings: Settings, context: Context) -> Access:
    """The repositories and registries, with the tokens of the inputs."""
    doors = access.connect(settings, context, inputs)
    return replace(doors, clone=context.workspace if context.repository == doors.pins.repository else None)


if __name__ == "__main__":
    sys.exit(entrypoint("promote-pr", PromotePr, main))
