"""staging-gate: waits for exactly one release in an environment, tests it there, and records the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any, Literal

import msgspec

from stagegate import settings as settings_file
from stagegate.argocd_app import render_inputs, status
from stagegate.argocd_app.same_repository import same_repository
from stagegate.chart import package, published, render
from stagegate.clients import hub
from stagegate.clients.connections import Connections, open_connections
from stagegate.errors import Stop
from stagegate.evidence import accepted as trust
from stagegate.evidence import records, releases
from stagegate.gate import (
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
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.promotion import app_state, audit_pins, promote
from stagegate.promotion.request import PromotionRequest
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
    connections = open_connections(settings, context, inputs, as_app=False)
    if not context.actor:  # by hand, outside a runner: the record still names somebody
        context = msgspec.structs.replace(context, actor=connections.app.viewer().login)
    known = gather(inputs, settings, connections)
    connections = connections.limited(known.settings)
    begin = verdict.start(known.records, known.release, context.run_id, inputs.mode)
    if inputs.dry_run:
        changes = apply.intended(known.release, inputs.environment, inputs.mode)
        return telling.planned(known, inputs.mode, begin.do, changes, connections.calls)
    if begin.record is not None and begin.record.evidence is not None:
        result = complete(inputs, known, begin, connections, context)
    elif (found := needless(inputs, known, connections, context.run_id)) is not None:
        return found
    elif known.objection is not None:
        result = telling.objected(known, known.objection, connections.calls)
    else:
        result = judge(inputs, known, connections, context)
    return undo(inputs, context, settings, result) if undoes(inputs, known, result) else result


def gather(inputs: StagingGate, settings: Settings, connections: Connections) -> Facts:
    """Facts: policy from the default branch of the pins repository, scenarios from the release commit."""
    if inputs.mode == "skip" and len(inputs.reason.strip()) < 3:
        raise Stop(
            "bad-input", "A skip needs a reason.", "It stands in the record.", "Give the input `reason`."
        )
    base = app_state.read(connections, settings)
    connections = connections.limited(base.settings)
    environment = base.settings.environment(inputs.environment)
    standing = pinned_version.standing(environment, base.files, base.settings)
    version = inputs.version or standing.version
    if not version:
        raise Stop(
            "bad-input",
            f"Nothing says which release {inputs.environment} should run.",
            f"The input `version` is empty, and {standing.trouble.rstrip('.') or 'no pin names one'}.",
            "Correct the pin, or give `version`.",
        )
    release = releases.reviewed(base.settings, version, connections.app, connections.registry)
    accepted = trust.accepted(base.settings, connections.app, connections.pins)
    deployments = connections.app.deployments(
        records.task(release.app, verdict.KINDS[inputs.mode]), environment=environment.name
    )
    tested = inputs.mode in ("wait", "watch")
    file = environment.gate.scenarios
    objection = None
    if inputs.mode == "wait":
        objection = audit_pins.objection(connections, base, environment.name, release, connections.pins.now())
    found = Facts(
        settings=base.settings,
        environment=environment,
        release=release,
        policy=base.blob,
        pins=connections.pins.repository,
        head=base.head,
        pinned=standing.version,
        trust=base.settings.trust.level,
        accepted=accepted,
        records=records.records(deployments, release.app, environment.name, accepted),
        objection=objection,
        scenarios=facts.scenarios_of(environment, release, connections.app, file) if tested else None,
        timeout=facts.timeout_of(environment, inputs.timeout),
    )
    if inputs.mode != "skip":
        facts.needs(found)
    return found


def needless(inputs: StagingGate, known: Facts, connections: Connections, run: str) -> Result | None:
    """The result without a look of our own: proven already, or another run is at it."""
    if inputs.mode == "adopt":  # a proof is worth more than what adopting it would leave
        passed = records.state(known.records, known.release)
        return (
            telling.proven(known, passed.record, connections.calls) if passed.good and passed.record else None
        )
    if inputs.mode != "wait" or inputs.again:
        return None
    if (record := elsewhere.proof(known, connections.pins)) is not None:
        return telling.proven(known, record, connections.calls)
    other = elsewhere.looking(known, connections.app, connections.pins, run)
    return telling.busy(known, other, connections.calls) if other else None


def complete(
    inputs: StagingGate, known: Facts, begin: verdict.Start, connections: Connections, context: Context
) -> Result:
    """An earlier attempt of this run came to a verdict: complete its record, write no second one."""
    record = begin.record
    assert record is not None and record.evidence is not None  # noqa: S101  the caller asked
    writer = writing(inputs, known, connections, context)
    changes = apply.finish(writer, record.id, record.evidence, context.run_url, done=bool(record.since))
    done = begin.do == "already" and record.evidence.outcome == "passed" and not changes
    conclusion = verdict.of_record(record.evidence)
    reason = "already-passed" if done else ""
    return telling.result(
        known, conclusion, record.evidence, None,
        deployment=record.id, changes=changes, calls=connections.calls, reason=reason,
    )  # fmt: skip


def judge(inputs: StagingGate, known: Facts, connections: Connections, context: Context) -> Result:
    """A gate of its own: look, test, record."""
    release, name, started = known.release, inputs.environment, datetime.now(timezone.utc)
    recorded = inputs.mode != "watch"
    trying = (
        None if inputs.mode == "skip" else prepare.trial(inputs, known, world(known, connections), context)
    )
    writer = writing(inputs, known, connections, context)
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
        again = writing(inputs, known, connections, context, again=True)
        number, changes = apply.record(again, proof, context.run_url, known.environment.is_production)
    except Stop as stop:
        return telling.unrecorded(say(calls=connections.calls, changes=before), stop)
    return say(deployment=number, changes=(*before, *changes), calls=connections.calls)


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
    reason = f"{result.version} did not pass the gate: {result.reason}"
    request = PromotionRequest(mode="rollback", environment=inputs.environment, reason=reason)
    try:
        return telling.undone(result, promote.for_app(request, inputs, context, settings))
    except Stop as stop:
        return telling.not_undone(result, stop)


def writing(
    inputs: StagingGate, known: Facts, connections: Connections, context: Context, *, again: bool = False
) -> hub.Hub:
    """Who writes state: the App under `protected`, else the token; the App's tokens last an hour, so `again`."""
    if known.trust == "advisory":
        return connections.app if not again else facts.still_valid(connections.app, inputs, context)
    token = hub.installation_token(context.api_url, connections.app.repository, inputs.app_id, inputs.app_key)
    writer = hub.from_context(context, token, connections.app.repository)
    if not records.is_accepted(writer.viewer(), known.accepted):
        app = known.settings.trust.app
        raise Stop(
            "missing-permission",
            f"{writer.viewer().login} is not the App whose evidence counts.",
            f"The settings trust {app!r}.",
            "Give app-id and app-key of that App, or correct `trust.app`.",
        )
    return writer


def world(known: Facts, connections: Connections) -> World:
    """What a gate reaches, with the two things other stretches of the road know: pins and charts."""
    files = tuple(pin_files.file_of(pin) for pin in known.environment.pins)

    def version(contents: Mapping[str, bytes | None]) -> str:
        return pinned_version.standing(known.environment, contents, known.settings).version

    return World(
        app=connections.app,
        pins=connections.pins,
        registry=connections.registry,
        pin_files=files,
        pinned_at=prepare.pinned(
            version, connections.pins, (*files, *pinned_version.charts_beside(files, known.settings))
        ),
        named=partial(pinned_version.named, known.release, known.settings),
        render=partial(rendered, known, connections),
    )


def rendered(known: Facts, connections: Connections, document: dict[str, Any]) -> Rendering:
    """What the recorded chart digest renders to, with all that the Application says and the values it holds."""
    chart = known.release.chart
    assert chart is not None  # noqa: S101  the caller asked
    seen = status.read(document)

    def read(address: str, _: str, path: str) -> bytes | None:
        revision = next(s.revision for s in seen.sources if s.repository == address)
        for side in (connections.app, connections.pins):
            if same_repository(address, side.repository) != "foreign":
                blob = side.files(revision, [path])[path]
                return blob.content if blob else None
        what = f"The values of {seen.name} live in {address}."
        why = "That is neither the app's nor the pins' repository."
        raise Stop("wrong-source", what, why, "Nothing to do.")

    wanted = render_inputs.render_inputs(document, read, chart=chart.reference.rpartition("/")[2])
    found = published.fetch(connections.registry, f"{chart.reference}@{chart.digest}")
    if found is None:
        raise Stop(
            "missing-file", f"{chart.reference}@{chart.digest} is gone.", "It was deleted.", "Republish it."
        )
    objects = render.render(found.archive, wanted.inputs, where=seen.name)
    files = package.unpack(found.archive, chart.reference)
    return Rendering(objects=tuple(dict(one.body) for one in objects), unsteady=comparing.unsteady(files))


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("staging-gate", StagingGate, main)
