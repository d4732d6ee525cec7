"""Facts of a gate: policy from the default branch of the pins repository, scenarios from the release commit."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.evidence import accepted as trust
from stagegate.evidence import records, releases
from stagegate.gate import elsewhere, facts, verdict
from stagegate.gate.facts import Facts
from stagegate.gate.request import GateRequest
from stagegate.pins import pinned_version
from stagegate.policy import permissions
from stagegate.promotion import app_state, audit_pins
from stagegate.promotion.app_state import AppState
from stagegate.settings import Settings


def read(
    request: GateRequest, settings: Settings, connections: Connections, run: str, people: Sequence[str]
) -> Facts:
    """Everything the verdict rests on except what the environment itself will show.

    `run` is this workflow run, `people` who started and repeated it: to adopt or skip they need permission.
    """
    if request.mode == "skip" and len(request.reason.strip()) < 3:
        raise Stop(
            "bad-input",
            "A skip needs a reason.",
            "The reason is part of the record.",
            "Give the input `reason`.",
        )
    base = app_state.read(connections, settings)
    if request.mode in ("adopt", "skip") and not request.dry_run:
        permissions.demand(connections.pins, base.settings, people, request.mode)
    found = _facts(request, base, connections.limited(base.settings))
    if request.mode != "skip":
        facts.needs(found)
    resumed = verdict.start(found.records, found.release, run, request.mode).record is not None
    if resumed or not request.judges or request.again or request.dry_run or found.objection is not None:
        return found
    other = elsewhere.read(found, connections.app, connections.pins, run)
    return msgspec.structs.replace(found, elsewhere=other)


def _facts(request: GateRequest, base: AppState, connections: Connections) -> Facts:
    environment = base.settings.environment(request.environment)
    standing = pinned_version.standing(environment, base.files, base.settings)
    version = request.version or standing.version
    if not version:
        raise Stop(
            "bad-input",
            f"No release is known for {request.environment}.",
            f"The input `version` is empty, and {standing.trouble.rstrip('.') or 'no pin names one'}.",
            "Correct the pin, or give `version`.",
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
    return Facts(
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
        scenarios=facts.scenarios_of(environment, release, connections.app, file) if request.tests else None,
        timeout=facts.timeout_of(environment, request.timeout),
    )
