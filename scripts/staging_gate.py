"""staging-gate: waits for exactly one release in an environment, tests it there, and records the verdict."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any, Literal

import msgspec

import promote_pr
from stagegate import evidence
from stagegate import settings as settings_file
from stagegate.chart import applications, package, published, render
from stagegate.clients import hub, releases, trust
from stagegate.errors import Stop
from stagegate.gate import (
    application,
    apply,
    comparing,
    describe,
    elsewhere,
    facts,
    junit,
    prepare,
    telling,
    trial,
    verdict,
)
from stagegate.gate.comparing import Rendering
from stagegate.gate.facts import Facts
from stagegate.gate.prepare import World
from stagegate.model import Result, rfc3339
from stagegate.promotion import access, ground, proving, standings
from stagegate.promotion.access import Access
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.settings import Settings


class StagingGate(PinsInputs, frozen=True, kw_only=True):
    """Inputs of staging-gate."""

    environment: str
    version: str = ""
    mode: Literal["wait", "watch", "adopt", "skip"] = "wait"
    reason: str = ""
    timeout: str = ""
    argocd_server: str = ""
    argocd_token: str = ""
    argocd_headers: str = ""
    argocd_ca: str = ""
    junit: str = ""
    again: bool = False
    fail_on_waiting: bool = False


def main(inputs: StagingGate, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report. Once the status is pending, it never stays so for a Stop."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    doors = access.connect(settings, context, inputs, as_app=False)
    if not context.actor:  # by hand, outside a runner: the record still names somebody
        context = msgspec.structs.replace(context, actor=doors.app.viewer().login)
    known = gather(inputs, settings, doors)
    doors = doors.limited(known.settings)
    begin = verdict.start(known.records, known.release, context.run_id, inputs.mode)
    if inputs.dry_run:
        changes = apply.intended(known.release, inputs.environment, inputs.mode)
        return telling.planned(known, inputs.mode, begin.do, changes, doors.calls)
    if begin.record is not None and begin.record.evidence is not None:
        result = complete(inputs, known, begin, doors, context)
    elif (found := needless(inputs, known, doors, context.run_id)) is not None:
        return found
    elif known.objection is not None:
        result = telling.objected(known, known.objection, doors.calls)
    else:
        result = judge(inputs, known, doors, context)
    return undo(inputs, context, settings, result) if undoes(inputs, known, result) else result


def gather(inputs: StagingGate, settings: Settings, doors: Access) -> Facts:
    """Facts: policy from the default branch of the pins repository, scenarios from the release commit."""
    if inputs.mode == "skip" and len(inputs.reason.strip()) < 3:
        raise Stop(
            "bad-input", "A skip needs a reason.", "It stands in the record.", "Give the input `reason`."
        )
    base = ground.read(doors, settings)
    doors = doors.limited(base.settings)
    environment = base.settings.environment(inputs.environment)
    standing = standings.standing(environment, base.files, base.settings)
    version = inputs.version or standing.version
    if not version:
        raise Stop(
            "bad-input",
            f"Nothing says which release {inputs.environment} should run.",
            f"The input `version` is empty, and {standing.trouble.rstrip('.') or 'no pin names one'}.",
            "Correct the pin, or give `version`.",
        )
    release = releases.find(base.settings, version, doors.app, doors.registry)
    accepted = trust.accepted(base.settings, doors.app, doors.pins)
    deployments = doors.app.deployments(
        evidence.task(release.app, verdict.KINDS[inputs.mode]), environment=environment.name
    )
    tested = inputs.mode in ("wait", "watch")
    file = environment.gate.scenarios
    objection = None
    if inputs.mode == "wait":
        objection = proving.objection(doors, base, environment.name, release, doors.pins.now())
    found = Facts(
        settings=base.settings,
        environment=environment,
        release=release,
        policy=base.blob,
        pins=doors.pins.repository,
        head=base.head,
        pinned=standing.version,
        trust=base.settings.trust.level,
        accepted=accepted,
        records=evidence.records(deployments, release.app, environment.name, accepted),
        objection=objection,
        scenarios=facts.scenarios_of(environment, release, doors.app, file) if tested else None,
        timeout=facts.timeout_of(environment, inputs.timeout),
    )
    if inputs.mode != "skip":
        facts.needs(found)
    return found


def needless(inputs: StagingGate, known: Facts, doors: Access, run: str) -> Result | None:
    """The result without a look of our own: proven already, or another run is at it."""
    if inputs.mode == "adopt":  # a proof is worth more than what adopting it would leave
        passed = evidence.state(known.records, known.release)
        return telling.proven(known, passed.record, doors.calls) if passed.good and passed.record else None
    if inputs.mode != "wait" or inputs.again:
        return None
    if (record := elsewhere.proof(known, doors.pins)) is not None:
        return telling.proven(known, record, doors.calls)
    other = elsewhere.looking(known, doors.app, doors.pins, run)
    return telling.busy(known, other, doors.calls) if other else None


def complete(
    inputs: StagingGate, known: Facts, begin: verdict.Start, doors: Access, context: Context
) -> Result:
    """An earlier attempt of this run came to a verdict: complete its record, write no second one."""
    record = begin.record
    assert record is not None and record.evidence is not None  # noqa: S101  the caller asked
    writer = writing(inputs, known, doors, context)
    changes = apply.finish(writer, record.id, record.evidence, context.run_url, done=bool(record.since))
    done = begin.do == "already" and record.evidence.outcome == "passed" and not changes
    conclusion = verdict.of_record(record.evidence)
    reason = "already-passed" if done else ""
    return telling.result(
        known, conclusion, record.evidence, None,
        deployment=record.id, changes=changes, calls=doors.calls, reason=reason,
    )  # fmt: skip


def judge(inputs: StagingGate, known: Facts, doors: Access, context: Context) -> Result:
    """A gate of its own: look, test, record."""
    release, name, started = known.release, inputs.environment, datetime.now(timezone.utc)
    recorded = inputs.mode != "watch"
    trying = None if inputs.mode == "skip" else prepare.trial(inputs, known, world(known, doors), context)
    writer = writing(inputs, known, doors, context)
    before = apply.begin(writer, release, name, context.run_url) if recorded else ()
    try:
        seen = trial.run(trying) if trying else None
    except Exception as error:
        if recorded:
            apply.give_up(writer, release, name, error, context.run_url)
        raise
    conclusion = seen.conclusion if seen else verdict.skipped(release, name, context.person, inputs.reason)
    proof = describe.evidence(
        release, name, inputs.mode, conclusion, seen,
        started=rfc3339(started), finished=rfc3339(datetime.now(timezone.utc)),
        run=context.run, actor=context.person, policy=known.policy, reason=inputs.reason,
    )  # fmt: skip
    if inputs.junit:
        junit.write(context.inside(inputs.junit, what="junit"), f"gate {name}", proof.checks)
    say = partial(telling.result, known, conclusion, proof, seen)
    try:
        again = writing(inputs, known, doors, context, again=True)
        number, changes = apply.record(again, proof, context.run_url, known.environment.is_production)
    except Stop as stop:
        return telling.unrecorded(say(calls=doors.calls, changes=before), stop)
    return say(deployment=number, changes=(*before, *changes), calls=doors.calls)


def undoes(inputs: StagingGate, known: Facts, result: Result) -> bool:
    """Whether settings ask for a rollback of what failed here, or of what should not have come."""
    gate = known.environment.gate
    if inputs.mode != "wait":
        return False
    if telling.failed(result):
        return gate.on_failure == "rollback"
    return gate.on_unproven == "rollback" and known.objection is not None and result.evidence is None


def undo(inputs: StagingGate, context: Context, settings: Settings, result: Result) -> Result:
    """Propose the last good release; whatever comes of it, the gate has not passed."""
    asked = promote_pr.PromotePr(
        config=inputs.config, token=inputs.token, pins_token=inputs.pins_token,
        app_id=inputs.app_id, app_key=inputs.app_key,
        registry_username=inputs.registry_username, registry_password=inputs.registry_password,
        environment=inputs.environment, mode="rollback",
        reason=f"{result.version} did not pass the gate: {result.reason}",
    )  # fmt: skip
    try:
        return telling.undone(result, promote_pr.carry_out(asked, context, settings))
    except Stop as stop:
        return telling.not_undone(result, stop)


def writing(
    inputs: StagingGate, known: Facts, doors: Access, context: Context, *, again: bool = False
) -> hub.Hub:
    """Who writes state: the App under `protected`, else the token; the App's tokens last an hour, so `again`."""
    if known.trust == "advisory":
        return doors.app if not again else facts.still_valid(doors.app, inputs, context)
    token = hub.installation_token(context.api_url, doors.app.repository, inputs.app_id, inputs.app_key)
    writer = hub.from_context(context, token, doors.app.repository)
    if not evidence.is_accepted(writer.viewer(), known.accepted):
        app = known.settings.trust.app
        raise Stop(
            "missing-permission",
            f"{writer.viewer().login} is not the App whose evidence counts.",
            f"The settings trust {app!r}.",
            "Give app-id and app-key of that App, or correct `trust.app`.",
        )
    return writer


def world(known: Facts, doors: Access) -> World:
    """What a gate reaches, with the two things other stretches of the road know: pins and charts."""
    files = tuple(standings.file_of(pin) for pin in known.environment.pins)

    def version(contents: Mapping[str, bytes | None]) -> str:
        return standings.standing(known.environment, contents, known.settings).version

    return World(
        app=doors.app,
        pins=doors.pins,
        registry=doors.registry,
        pin_files=files,
        pinned_at=prepare.pinned(version, doors.pins, files),
        named=partial(standings.named, known.release, known.settings),
        render=partial(rendered, known, doors),
    )


def rendered(known: Facts, doors: Access, document: dict[str, Any]) -> Rendering:
    """What the recorded chart digest renders to, with all that the Application says and the values it holds."""
    chart = known.release.chart
    assert chart is not None  # noqa: S101  the caller asked
    seen = application.read(document)

    def read(address: str, _: str, path: str) -> bytes | None:
        revision = next(s.revision for s in seen.sources if s.repository == address)
        for side in (doors.app, doors.pins):
            if application.plain_address(address).endswith("/" + side.repository.lower()):
                blob = side.files(revision, [path])[path]
                return blob.content if blob else None
        what = f"The values of {seen.name} live in {address}."
        why = "That is neither the app's nor the pins' repository."
        raise Stop("wrong-source", what, why, "Nothing to do.")

    wanted = applications.render_inputs(document, read, chart=chart.reference.rpartition("/")[2])
    found = published.fetch(doors.registry, f"{chart.reference}@{chart.digest}")
    if found is None:
        raise Stop(
            "missing-file", f"{chart.reference}@{chart.digest} is gone.", "It was deleted.", "Republish it."
        )
    objects = render.render(found.archive, wanted.inputs, where=seen.name)
    files = package.unpack(found.archive, chart.reference)
    return Rendering(objects=tuple(dict(one.body) for one in objects), unsteady=comparing.unsteady(files))


if __name__ == "__main__":
    sys.exit(entrypoint("staging-gate", StagingGate, main))
