"""staging-gate: waits for exactly one release in an environment, tests it there, and records the verdict."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from functools import partial
from typing import Literal

from stagegate import settings as settings_file
from stagegate.clients import releases
from stagegate.errors import Stop
from stagegate.gate import (
    apply,
    commits,
    describe,
    evidence,
    facts,
    http_checks,
    pods,
    telling,
    trial,
    verdict,
)
from stagegate.gate.facts import Facts
from stagegate.gate.http_checks import Run
from stagegate.gate.plan import Ready
from stagegate.gate.rollout import Order
from stagegate.gate.trial import Trial
from stagegate.model import Result, rfc3339
from stagegate.promotion import access, ground, standings
from stagegate.promotion.access import Access
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.settings import Settings


class StagingGate(Inputs, frozen=True, kw_only=True):
    """Inputs of staging-gate."""

    pins_token: str = ""
    app_id: str = ""
    app_key: str = ""
    registry_username: str = ""
    registry_password: str = ""
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
    fail_on_waiting: bool = False


def main(inputs: StagingGate, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report. Once the status is pending, it never stays so for a Stop."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    doors = access.connect(
        settings,
        context,
        config=inputs.config,
        token=inputs.token,
        pins_token=inputs.pins_token,
        username=inputs.registry_username,
        password=inputs.registry_password,
    )
    known = gather(inputs, settings, doors)
    begin = verdict.start(known.records, known.release, context.run_id, inputs.mode)
    if inputs.dry_run:
        changes = apply.intended(known.release, inputs.environment, inputs.mode)
        return telling.planned(known, inputs.mode, begin.do, changes, doors.calls)
    if begin.record is not None and begin.record.evidence is not None:
        return complete(known, begin, doors, context)
    return judge(inputs, known, doors, context)


def gather(inputs: StagingGate, settings: Settings, doors: Access) -> Facts:
    """Facts: policy from the default branch of the pins repository, scenarios from the release commit."""
    if inputs.mode == "skip" and len(inputs.reason.strip()) < 3:
        raise Stop(
            "bad-input", "A skip needs a reason.", "It stands in the record.", "Give the input `reason`."
        )
    base = ground.read(doors, settings)
    environment = base.settings.environment(inputs.environment)
    standing = standings.standing(environment, base.files, base.settings)
    version = inputs.version or standing.version
    if not version:
        raise Stop(
            "bad-input",
            f"Nothing says which release {inputs.environment} should run.",
            f"The input `version` is empty, and {standing.trouble or 'no pin names one'}.",
            "Give `version`.",
        )
    release = releases.find(base.settings, version, doors.app, doors.registry)
    accepted = access.accepted(doors, base.settings)
    deployments = doors.app.deployments(evidence.task(release.app), environment=environment.name)
    tested = inputs.mode in ("wait", "watch")
    file = environment.gate.scenarios
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
        scenarios=facts.scenarios_of(environment, release, doors.app, file) if tested else None,
        timeout=facts.timeout_of(environment, inputs.timeout),
    )
    if inputs.mode != "skip":
        facts.needs(found)
    return found


def complete(known: Facts, begin: verdict.Start, doors: Access, context: Context) -> Result:
    """An earlier attempt of this run came to a verdict: complete its record, write no second one."""
    record = begin.record
    assert record is not None and record.evidence is not None  # noqa: S101  the caller asked
    changes = apply.finish(doors.app, record.id, record.evidence, context.run_url, done=bool(record.since))
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
    trying = None if inputs.mode == "skip" else prepared(inputs, known, doors, context)
    before = apply.begin(doors.app, release, name, context.run_url) if recorded else ()
    try:
        seen = trial.run(trying) if trying else None
    except Exception as error:
        if recorded:
            apply.give_up(doors.app, release, name, error, context.run_url)
        raise
    conclusion = seen.conclusion if seen else verdict.skipped(release, name, context.actor, inputs.reason)
    proof = describe.evidence(
        release, name, inputs.mode, conclusion, seen,
        started=rfc3339(started), finished=rfc3339(datetime.now(timezone.utc)),
        run=context.run, actor=context.actor, policy=known.policy, reason=inputs.reason,
    )  # fmt: skip
    production = known.environment.is_production
    number, changes = apply.record(doors.app, proof, context.run_url, production)
    return telling.result(
        known, conclusion, proof, seen,
        deployment=number, changes=(*before, *changes), calls=doors.calls,
    )  # fmt: skip


def prepared(inputs: StagingGate, known: Facts, doors: Access, context: Context) -> Trial:
    """The gate with everything it will ask; what is missing or empty is said before anything is written."""
    environment, release = known.environment, known.release
    lines = tuple(line for line in inputs.argocd_headers.splitlines() if line.strip())
    source = None
    if environment.argocd.source == "api":
        source = facts.argocd(environment, inputs.argocd_server, inputs.argocd_token, lines, inputs.argocd_ca)
    repositories = facts.repositories(doors.app, doors.pins)
    files = [standings.file_of(pin) for pin in environment.pins]

    def pinned_at(commit: str) -> str:
        blobs = doors.pins.files(commit, files)
        contents = {path: blob.content if blob else None for path, blob in blobs.items()}
        return standings.standing(environment, contents, known.settings).version

    order = Order(
        environment=environment.name,
        names=facts.names(environment, source) if source else (),
        minimum=environment.argocd.min_healthy,
        timeout=known.timeout,
        commit=commits.reader(repositories, known.pins, known.head, release, files, pinned_at),
        pods=lambda _: Ready(),
        appears=bool(environment.argocd.parent),
    )
    return Trial(
        release=release,
        environment=environment.name,
        mode=inputs.mode,
        actor=context.actor,
        gate=environment.gate,
        timeout=known.timeout,
        source=source,
        expected=facts.expected(known, tuple(repositories)),
        order=order,
        tags=(release.tag, release.version, f"sha-{release.commit}"),
        relatives=pods.family(doors.registry, release.images),
        scenarios=tests(known),
        moved=partial(facts.moved, doors.registry, release, release.tag),
        compare=lambda _: None,
    )


def tests(known: Facts) -> trial.Look | None:
    """The checks of this gate, ready to run; empty secrets and foreign hosts are found here."""
    if known.scenarios is None:
        return None
    run = Run(
        file=known.environment.gate.scenarios,
        version=known.release.version,
        environ=os.environ,
        required=known.environment.gate.required,
    )
    scenarios, base = known.scenarios, http_checks.prepare(known.scenarios, run)
    return lambda _: http_checks.run_all(scenarios, base, run)


if __name__ == "__main__":
    sys.exit(entrypoint("staging-gate", StagingGate, main))
