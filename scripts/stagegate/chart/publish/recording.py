"""A release without its own chart: its record is a deployment, which cannot be edited afterwards."""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate.chart.publish.facts import Build
from stagegate.chart.publish.plan import ChartPublication, ChartReleaseFacts, PublishedChart, taken
from stagegate.clients.hub import Deployment, Hub
from stagegate.errors import Stop
from stagegate.evidence import milestones
from stagegate.evidence.accepted import accepted, demand_writer
from stagegate.evidence.records import is_accepted
from stagegate.evidence.releases import ENVIRONMENT, task
from stagegate.model import Change, digest_of
from stagegate.settings import Settings

_LOOK_BACK = 100


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts for the plan, and the record that stands already (its id, and whether it was finished)."""

    settings: Settings
    facts: ChartReleaseFacts
    id: int = 0
    finished: bool = False


def read(settings: Settings, build: Build, github: Hub) -> RecordFacts:
    """The record of this release, and the existing record of its version by a trusted writer."""
    app, payload = settings.app, _payload(settings.app, build)
    digest = digest_of(payload)
    facts = ChartReleaseFacts(
        app=app,
        version=build.version,
        commit=build.commit,
        images=build.images,
        reference=f"{task(app)} {build.version}",
        digest=digest,
        content=digest,
        findings=build.findings,
    )
    recorded = _recorded(settings, build.version, github)
    if recorded is None:
        return RecordFacts(settings=settings, facts=facts)
    existing = digest_of({key: recorded.payload.get(key) for key in payload})
    return RecordFacts(
        settings=settings,
        facts=msgspec.structs.replace(facts, there=PublishedChart(digest=existing, content=existing)),
        id=recorded.id,
        finished=any(status.state == "success" for status in recorded.statuses),
    )


def record(
    decided: ChartPublication, known: RecordFacts, build: Build, github: Hub, log_url: str
) -> tuple[Change, ...]:
    """Write what an earlier run could not write: the deployment, its status, and when it was published.

    Stop(missing-permission) where nobody would count the record.
    """
    demand_writer(github, known.settings, github)
    changes = _deployment(decided, known, build, github, log_url)
    if not decided.errors:
        milestones.record(github, build.commit, known.facts.app, build.version, "published", log_url)
    return changes


def _deployment(
    decided: ChartPublication, known: RecordFacts, build: Build, github: Hub, log_url: str
) -> tuple[Change, ...]:
    facts = known.facts
    if decided.reason != "published" and (known.finished or not known.id):
        return ()
    description = f"{facts.app} {facts.version} is a release"
    number = known.id or github.create_deployment(
        facts.commit, task(facts.app), ENVIRONMENT, _payload(facts.app, build), description, False
    )
    if not known.finished:
        github.create_deployment_status(number, "success", description, log_url)
    existing = read(known.settings, build, github).facts.there
    if existing is None:
        raise Stop(
            "unknown-state",
            f"The record of {description.removesuffix(' is a release')} was written but is not listed.",
            "GitHub accepted the deployment but does not list it yet.",
            "Run again in a minute.",
        )
    if existing.digest != facts.digest:
        raise taken(facts.reference, existing.digest, facts.digest)
    return (Change(kind="record", target=facts.reference, after=facts.digest),)


def _payload(app: str, build: Build) -> dict[str, Any]:
    return {"app": app, "version": build.version, "commit": build.commit, "images": dict(build.images)}


def _recorded(settings: Settings, version: str, github: Hub) -> Deployment | None:
    """The oldest record of this version by an identity that may write it: later ones cannot replace it."""
    trusted = accepted(settings, github)
    found = [
        deployment
        for deployment in github.deployments(task(settings.app), ENVIRONMENT, first=_LOOK_BACK)
        if deployment.payload.get("version") == version and is_accepted(deployment.creator, trusted)
    ]
    return found[-1] if found else None
