"""Write the gate's state: pending status -> deployment with the evidence -> its status -> commit status.

Each write is idempotent and a record counts only with its deployment status, so a gate that is killed
anywhere and run again ends with one complete record (I4).
"""

from __future__ import annotations

from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.evidence import records
from stagegate.gate import describe, verdict
from stagegate.model import Change, Evidence, EvidenceKind, Release
from stagegate.runner import log


def begin(hub: Hub, release: Release, environment: str, run_url: str) -> tuple[Change, ...]:
    """Set the status pending for a gate of this release; its target is the run, so that readers can check it."""
    context = records.context(release.app, environment)
    text = f"{release.version}: the gate runs"
    if hub.set_status(release.commit, context, "pending", text, run_url):
        return (Change(kind="status", target=context, after="pending"),)
    return ()


def leave(hub: Hub, release: Release, environment: str, stop: Stop, run_url: str) -> tuple[Change, ...]:
    """Describe in the status why the run ends before a verdict. It stays pending, which revokes nothing."""
    context = records.context(release.app, environment)
    if hub.set_status(release.commit, context, "pending", f"{release.version}: {stop.reason}", run_url):
        return (Change(kind="status", target=context, before="pending", after="pending"),)
    return ()


def give_up(hub: Hub, release: Release, environment: str, error: Exception, run_url: str) -> None:
    """Set the status to error if possible. The run ends with the original error in any case."""
    why = f"{error.reason}: {error.what}" if isinstance(error, Stop) else "bug"
    try:
        text = f"{release.version}: no verdict, {why}"
        hub.set_status(release.commit, records.context(release.app, environment), "error", text, run_url)
    except Stop as trouble:
        log.debug(f"the status could not be set to error: {trouble.what}")


def record(hub: Hub, evidence: Evidence, run_url: str, production: bool) -> tuple[int, tuple[Change, ...]]:
    """Write a verdict; return the deployment's id and the changes."""
    number = hub.create_deployment(
        evidence.commit,
        records.task(evidence.app, evidence.kind),
        evidence.environment,
        describe.payload(evidence),
        verdict.description(evidence),
        production,
    )
    change = Change(kind="deployment", target=f"{evidence.environment} #{number}", after=evidence.outcome)
    try:
        return number, (change, *finish(hub, number, evidence, run_url))
    except Stop as stop:
        raise stop.after([change]) from None


def finish(
    hub: Hub, number: int, evidence: Evidence, run_url: str, *, done: bool = False
) -> tuple[Change, ...]:
    """Complete a record: its deployment status (`done`: it has one), then the commit status.

    A look writes no commit status: it never revokes what a roll-out proved.
    """
    state, text = records.deployment_state(evidence), verdict.description(evidence)
    changes: list[Change] = []
    if not done:
        hub.create_deployment_status(number, state, text, run_url)
        changes.append(Change(kind="deployment-status", target=f"#{number}", after=state))
    context = records.context(evidence.app, evidence.environment)
    try:
        if evidence.kind != "look" and _told(hub, evidence, (state, text, run_url), done=done):
            changes.append(Change(kind="status", target=context, after=state))
    except Stop as stop:
        raise stop.after(changes) from None
    return tuple(changes)


def _told(hub: Hub, evidence: Evidence, status: tuple[str, str, str], *, done: bool) -> bool:
    """Write the commit status; whether it was written. It comes last: before the record is `done`, none of this
    verdict can exist, and none is read."""
    context = records.context(evidence.app, evidence.environment)
    if done:
        return hub.set_status(evidence.commit, context, *status)
    hub.set_first_status(evidence.commit, context, *status)
    return True


def intended(release: Release, environment: str, kind: EvidenceKind) -> tuple[Change, ...]:
    """The changes that a gate would write."""
    context = records.context(release.app, environment)
    status = () if kind == "look" else (Change(kind="status", target=context, done=False),)
    return (Change(kind="deployment", target=environment, done=False), *status)
