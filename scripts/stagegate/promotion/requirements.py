"""Reads the required results of other tools (`promotion.require`): statuses and attestations."""

from __future__ import annotations

from stagegate.clients import attestations
from stagegate.clients.connections import Connections
from stagegate.clients.hub import CheckRun
from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.policy.facts import Requirement
from stagegate.report.times import utc
from stagegate.settings import Environment
from stagegate.settings.environment import Required

_WORST = ("unknown", "stop", "wait", "pass")  # of several Apps that use one name, the worst counts
_CONCLUSIONS = {
    "success": "pass",
    **dict.fromkeys(("failure", "timed_out", "cancelled", "action_required"), "stop"),
}
_STATES = {"success": "pass", "pending": "wait", "failure": "stop", "error": "stop"}


def read(connections: Connections, environment: Environment, release: Release) -> tuple[Requirement, ...]:
    """Every requirement of an environment with what is known of it. What cannot be read is unknown, no Stop."""
    requirements = []
    for one in environment.promotion.require:
        try:
            state, detail = (
                _status(connections, one, release) if one.status else _attested(connections, one, release)
            )
        except Stop as stop:
            state, detail = "unknown", f"{stop.what} {stop.why} {stop.next}"
        requirements.append(Requirement(name=one.status or one.attestation, state=state, detail=detail))  # type: ignore[arg-type]
    return tuple(requirements)


def _status(connections: Connections, required: Required, release: Release) -> tuple[str, str]:
    """The newest status of that name on the release's commit, else the check runs of that name.

    `by` is the account that wrote the status, or the login of the App that made the check run.
    """
    hub = connections.app
    writer = hub.account(required.by) if required.by else None
    if required.by and writer is None:
        return "unknown", f"GitHub has no account {required.by}"
    for status in hub.statuses(release.commit):
        if status.context == required.status and (writer is None or writer.same(status.creator)):
            by = status.creator.login if status.creator else "somebody unknown"
            return _STATES.get(status.state, "unknown"), f"{status.state} by {by} at {utc(status.created_at)}"
    by = f" by {required.by}" if required.by else ""
    runs = [run for run in hub.check_runs(release.commit, required.status) if required.by in ("", run.by)]
    if not runs:
        return (
            "unknown",
            f"commit {release.commit[:12]} has neither a status nor a check run of this name{by}",
        )
    return min(map(_check_run, runs), key=lambda told: _WORST.index(told[0]))


def _check_run(run: CheckRun) -> tuple[str, str]:
    """A check run that was skipped, or is neutral or stale, has found nothing, so it does not pass."""
    state = _CONCLUSIONS.get(run.conclusion, "unknown") if run.status == "completed" else "wait"
    by = run.by or "an unknown App"
    return state, f"check run {run.conclusion or run.status} by {by} at {utc(run.started_at)}"


def _attested(connections: Connections, required: Required, release: Release) -> tuple[str, str]:
    """Whether every image of the app has the attestation; without images there is nothing to attest."""
    hub = connections.app
    images = [image for image in release.images if image.first_party]
    if not images:
        return (
            "unknown",
            f"the release {release.version} contains no image of the app, so no attestation can exist",
        )
    for image in images:
        verified = attestations.verify(
            image.reference, image.digest, required.attestation, hub.repository, hub.server_url, hub.token
        )
        if verified.state != "verified":
            return "unknown", f"{image.reference}: {verified.detail}"
    return "pass", verified.detail
