"""Records a release without its own chart as a deployment, which cannot be edited afterwards."""

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

_LOOK_BACK = 100  # deployments


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts for the plan, and the existing record: its id (0: none) and whether it has its status."""

    settings: Settings
    facts: ChartReleaseFacts
    id: int = 0
    finished: bool = False


def read(settings: Settings, build: Build, github: Hub) -> RecordFacts:
    """The record of this release, and the existing record of its version by an accepted author."""
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
        facts=msgspec.structs.replace(facts, existing=PublishedChart(digest=existing, content=existing)),
        id=recorded.id,
        finished=any(status.state == "success" for status in recorded.statuses),
    )


def record(
    decided: ChartPublication, record_facts: RecordFacts, build: Build, github: Hub, log_url: str
) -> tuple[Change, ...]:
    """Write the missing parts of the record: the deployment, its status, and the time of publication.

    Stop(missing-permission) when the author of the record would not be accepted.
    """
    demand_writer(github, record_facts.settings, github)
    changes = _deployment(decided, record_facts, build, github, log_url)
    if not decided.errors:
        milestones.record(github, build.commit, record_facts.facts.app, build.version, "published", log_url)
    return changes


def _deployment(
    decided: ChartPublication, record_facts: RecordFacts, build: Build, github: Hub, log_url: str
) -> tuple[Change, ...]:
    facts = record_facts.facts
    if decided.reason != "published" and (record_facts.finished or not record_facts.id):
        return ()
    description = f"{facts.app} {facts.version} is a release"
    number = record_facts.id or github.create_deployment(
        facts.commit, task(facts.app), ENVIRONMENT, _payload(facts.app, build), description, False
    )
    if not record_facts.finished:
        github.create_deployment_status(number, "success", description, log_url)
    existing = read(record_facts.settings, build, github).facts.existing
    if existing is None:
        raise Stop(
            "unknown-state",
            f"The record of {description.removesuffix(' is a release')} was written, but GitHub "
            "does not show the record yet.",
            "GitHub accepted the deployment of the record, but does not list the deployment yet.",
            "Run the job again in a minute.",
        )
    if existing.digest != facts.digest:
        raise taken(facts.reference, existing.digest, facts.digest)
    return (Change(kind="record", target=facts.reference, after=facts.digest),)


def _payload(app: str, build: Build) -> dict[str, Any]:
    return {"app": app, "version": build.version, "commit": build.commit, "images": dict(build.images)}


def _recorded(settings: Settings, version: str, github: Hub) -> Deployment | None:
    """The oldest record of this version by an accepted author; later records never replace it."""
    trusted = accepted(settings, github)
    records = [
        deployment
        for deployment in github.deployments(task(settings.app), ENVIRONMENT, first=_LOOK_BACK)
        if deployment.payload.get("version") == version and is_accepted(deployment.creator, trusted)
    ]
    return records[-1] if records else None
