"""Writes the record as a deployment with its status. Each step can be repeated."""

from __future__ import annotations

from stagegate.clients.hub import Hub
from stagegate.evidence.releases import ENVIRONMENT, task
from stagegate.model import Change
from stagegate.release.recorded.facts import payload
from stagegate.release.recorded.foreign_release import ForeignRelease


def apply(
    app: str, foreign: ForeignRelease, decision: str, hub: Hub, actor: str, run_url: str
) -> tuple[Change, ...]:
    """Write the record, or only its missing status; return the changes. `decision` is that of `plan`."""
    if decision == "nothing":
        return ()
    record = foreign.record
    description = f"{app} {record.version} is a release"
    number = foreign.number or hub.create_deployment(
        record.commit, task(app), ENVIRONMENT, payload(app, record, actor), description, False
    )
    hub.create_deployment_status(number, "success", description, run_url)
    return (Change(kind="record", target=f"{task(app)} {record.version}", after=record.commit),)
