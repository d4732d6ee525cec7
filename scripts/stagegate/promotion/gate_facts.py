"""Facts of a gate: policy from the default branch of the pins repository, scenarios from the release commit."""

from __future__ import annotations

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.evidence import accepted as trust
from stagegate.evidence import records, releases
from stagegate.gate import already_done, facts, verdict
from stagegate.gate.facts import Facts, OtherGates
from stagegate.gate.request import GateRequest
from stagegate.pins import pinned_version
from stagegate.policy import permissions
from stagegate.promotion import app_state, audit_pins, provenance, used_files
from stagegate.promotion.app_state import AppState
from stagegate.runner import log
from stagegate.runner.context import Context
from stagegate.settings import Settings


def read(request: GateRequest, settings: Settings, connections: Connections, context: Context) -> Facts:
    """Everything that the verdict depends on, except the observations in the environment.

    Adopting, skipping and `again` need the permission of the people who started and repeated this run.
    """
    if request.mode == "skip" and len(request.reason.strip()) < 3:
        raise Stop(
            "bad-input",
            "A gate can only be skipped with a reason.",
            "stagegate records the reason together with the person who skips the gate.",
            "Set the input `reason`.",
        )
    base = app_state.read(connections, settings)
    if request.mode in ("adopt", "skip") and not request.dry_run:
        permissions.demand(connections.pins, base.settings, context.people, request.mode)
    gate = _facts(request, base, connections.limited(base.settings))
    if request.mode != "skip":
        facts.needs(gate)
    resumed = verdict.start(gate.records, gate.release, context.run_id, request.mode).record is not None
    if resumed or not request.judges or gate.objection is not None:
        return gate
    return msgspec.structs.replace(gate, others=_others(request, gate, connections, context))


def _others(request: GateRequest, gate: Facts, connections: Connections, context: Context) -> OtherGates:
    """The state of other gates for this one. A dry run does not wait for another run."""
    if request.again and _may_insist(gate, connections, context):
        return OtherGates(insisted=True)
    if request.dry_run:
        return OtherGates(
            unchanged=already_done.unchanged(gate, already_done.confirmed(gate, connections.app))
        )
    return already_done.read(gate, connections.app, connections.pins, context.run_id)


def _may_insist(gate: Facts, connections: Connections, context: Context) -> bool:
    """Whether the people of this run may ask for a gate where nothing changed."""
    if not already_done.unchanged(gate, already_done.confirmed(gate, connections.app)):
        return True
    try:
        permissions.demand(connections.pins, gate.settings, context.people, "promote")
    except Stop as stop:
        if stop.reason != "not-authorised":
            raise
        log.say(f"The input `again` has no effect: {stop.what} {stop.why}")
        return False
    return True


def _facts(request: GateRequest, base: AppState, connections: Connections) -> Facts:
    environment = base.settings.environment(request.environment)
    standing = pinned_version.standing(environment, base.files, base.settings)
    version = request.version or standing.version
    if not version:
        raise Stop(
            "bad-input",
            f"stagegate knows no release in {request.environment}.",
            "The input `version` is empty, and the pins do not name a release either: "
            f"{standing.trouble.rstrip('.') or 'no pin names one'}.",
            "Correct the pin, or set the input `version`.",
        )
    release = releases.reviewed(base.settings, version, connections.app, connections.registry)
    accepted = trust.accepted(base.settings, connections.app, connections.pins)
    deployments = connections.app.deployments(
        records.task(release.app, verdict.KINDS[request.mode]), environment=environment.name
    )
    objection = None
    if request.judges:
        objection = audit_pins.objection(connections, base, environment.name, release, connections.pins.now())
    file = environment.gate.scenarios
    adopts = request.mode == "adopt"
    needs_checks = request.mode != "skip" and (not adopts or environment.argo.source == "http")
    return Facts(
        settings=base.settings,
        environment=environment,
        release=release,
        policy=base.blob,
        pins=connections.pins.repository,
        head=base.head,
        pinned=standing.version,
        files=used_files.digest(connections, base, environment),
        trust=base.settings.trust.level,
        accepted=accepted,
        records=records.records(deployments, release.app, environment.name, accepted),
        objection=objection,
        promotion=provenance.of(connections.pins, base, environment, version, accepted),
        scenarios=facts.scenarios_of(environment, release, connections.app, file, adopts=adopts)
        if needs_checks
        else None,
        timeout=facts.timeout_of(environment, request.timeout),
    )
