"""Records what an environment's pins name as adopted, in a person's name: after a change that was made by hand.

Nothing is observed, so it is a release to go back to here and never evidence for the next environment.
"""

from __future__ import annotations

from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.evidence import accepted, records, releases
from stagegate.evidence.records import Record
from stagegate.gate import apply
from stagegate.markdown import plain
from stagegate.model import Actor, Change, Check, Evidence, Message, Release, Result, rfc3339
from stagegate.pins import pinned_version
from stagegate.policy import permissions
from stagegate.promotion import app_state, used_files
from stagegate.promotion.app_state import AppState
from stagegate.promotion.result import OUTPUTS
from stagegate.promotion.run import PromotionRun
from stagegate.settings import Environment


def adopt(started: PromotionRun) -> Result:
    """Write the record. Stop(not-authorised), Stop(bad-input) where the pins name no release."""
    request, context, connections = started.request, started.context, started.connections
    state = app_state.read(connections, started.settings)
    environment = state.settings.environment(request.environment)
    if not request.authorised:
        permissions.demand(connections.pins, state.settings, context.people, "adopt")
    connections = connections.limited(state.settings)
    release = _pinned(started, state, environment)
    writer = connections.pins if connections.one else connections.app
    trusted = accepted.accepted(state.settings, connections.app, connections.pins)
    if not records.is_accepted(writer.viewer(), trusted):
        raise Stop(
            "missing-permission",
            f"{writer.viewer().login} is not the App whose evidence counts.",
            f"The settings trust only the GitHub App {state.settings.trust.app!r}.",
            "Pass the inputs `app-id` and `app-key` of that App in this job.",
        )
    newest = _newest(writer, release, environment, trusted)
    if (
        newest is not None
        and newest.evidence is not None
        and newest.evidence.outcome in ("passed", "adopted")
    ):
        what = (
            f"{release.app} {release.version} already has the outcome {newest.evidence.outcome} in "
            f"{environment.name}."
        )
        return _result(started, release, "already-passed", Message(what=what), ())
    evidence = Evidence(
        kind="adopt",
        app=release.app,
        environment=environment.name,
        outcome="adopted",
        reason="adopted",
        version=release.version,
        tag=release.tag,
        commit=release.commit,
        chart=release.chart,
        images=release.images,
        checks=(_check(request.reason),),
        started=rfc3339(started.now),
        finished=rfc3339(started.now),
        run=context.run,
        actor=context.person,
        policy=state.blob,
        files=used_files.digest(connections, state, environment),
    )
    where = f"{release.app} {release.version} in {environment.name}"
    message = Message(
        what=f"{where} is adopted by {context.person}: {request.reason}.",
        why="The gate did not observe the roll-out. The release can be a target for rollbacks, but it "
        "is no evidence for later environments.",
        next="To test the release, run the gate (staging-gate).",
    )
    if request.dry_run:
        changes = apply.intended(release, environment.name, "adopt")
        return _result(started, release, "planned", message, changes)
    _, changes = apply.record(writer, evidence, context.run_url, environment.is_production)
    return _result(started, release, "adopted", message, changes)


def _pinned(started: PromotionRun, state: AppState, environment: Environment) -> Release:
    standing = pinned_version.standing(environment, state.files, state.settings)
    if not standing.version:
        raise Stop(
            "bad-input",
            f"stagegate knows no release in {environment.name}.",
            f"{standing.trouble.rstrip('.') or 'no pin names one'}.",
            "Correct the pins first. stagegate then adopts the release that the pins name.",
        )
    connections = started.connections
    return releases.reviewed(state.settings, standing.version, connections.app, connections.registry)


def _newest(
    hub: Hub, release: Release, environment: Environment, trusted: tuple[Actor, ...]
) -> Record | None:
    """The newest record here that decides, where it is about exactly this release."""
    adopted = records.records(
        hub.deployments(records.task(release.app), environment=environment.name),
        release.app,
        environment.name,
        trusted,
    )
    newest = next(iter(records.deciding(adopted)), None)
    is_about = (
        newest is not None and newest.evidence is not None and not records.differs(newest.evidence, release)
    )
    return newest if is_about else None


def _check(reason: str) -> Check:
    """The record of a roll-out that was not observed, with the person's reason."""
    return Check(
        name="roll-out", outcome="skipped", required=False, detail=f"not observed: {plain(reason)}"[:400]
    )


def _result(
    started: PromotionRun, release: Release, reason: str, message: Message, changes: tuple[Change, ...]
) -> Result:
    outputs = dict.fromkeys(OUTPUTS, "") | {
        "changed": str(any(change.done for change in changes)).lower(),
        "environment": started.request.environment,
        "version": release.version,
    }
    return Result(
        reason=reason,
        message=message,
        outputs=outputs,
        app=release.app,
        environment=started.request.environment,
        version=release.version,
        dry_run=started.request.dry_run,
        changes=changes,
        calls=started.connections.calls,
    )
