"""What happens next in an environment, or what a person has to do there: a sentence, and the comment for it."""

from __future__ import annotations

from stagegate.report.status import EnvironmentStatus
from stagegate.report.times import utc


def next_step(app: str, found: EnvironmentStatus) -> tuple[str, str]:
    """The next step of an environment whose status is known so far, and a command of pr-command or nothing."""
    place = f"{app}/{found.name}"
    if found.trouble:
        return "Look at the run of this report: what is missing could not be read.", ""
    if found.gate in ("failed", "revoked") and not found.promotion:
        return "Release a fix, or go back.", f"/rollback {place}"
    if found.drift or found.suspect:
        return "Look at the environment; go back if the release is to blame.", f"/rollback {place}"
    return _promotion(found) or _stopped(place, found)


def _promotion(found: EnvironmentStatus) -> tuple[str, str] | None:
    """The next step of an open promotion."""
    pull = found.promotion
    if pull is None:
        return None
    if found.hold and pull.state != "success":
        return f"#{pull.number} waits for the end of the hold.", ""
    if pull.state == "success":
        return f"Merge #{pull.number}.", ""
    if pull.state == "pending":
        until = f" (until {utc(found.soaks_until)})" if found.soaks_until else ""
        return f"#{pull.number} waits: {pull.detail or 'it is being judged'}{until}.", ""
    return f"Look at #{pull.number}: {pull.detail or 'it was not judged'}.", ""


def _stopped(place: str, found: EnvironmentStatus) -> tuple[str, str]:
    """The next step where nothing is proposed."""
    if found.hold:
        return "Lift the hold when its reason is gone.", f"/unhold {place}"
    if found.gate == "running":
        return "The gate is at work.", ""
    if found.soaks_until:
        return f"{found.next_version} may be promoted after {utc(found.soaks_until)}.", ""
    if found.freeze and found.next_version:
        return f"{found.next_version} waits: {found.freeze}.", ""
    if found.next_version:
        return f"{found.next_version} may enter.", f"/promote {place} {found.next_version}"
    if found.gate in ("none", "skipped"):
        return "Let its gate run, or record what runs here (staging-gate, `mode: adopt`).", ""
    return "", ""
