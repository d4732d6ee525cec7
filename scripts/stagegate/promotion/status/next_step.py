"""The next step in an environment, automatic or by a person: a sentence, and the comment for it."""

from __future__ import annotations

from stagegate.report.status import EnvironmentStatus
from stagegate.report.times import utc


def next_step(app: str, shown: EnvironmentStatus) -> tuple[str, str]:
    """The next step of an environment whose status is known so far, and a command of pr-command or nothing."""
    place = f"{app}/{shown.name}"
    if shown.trouble:
        return "Read the log of the run that made this report: the log names what could not be read.", ""
    if shown.gate in ("failed", "revoked") and not shown.promotion:
        return "Release a fix, or roll back.", f"/rollback {place}"
    if shown.drift or shown.suspect:
        return "Check the environment. If the release is the cause, roll back.", f"/rollback {place}"
    return _promotion(shown) or _stopped(place, shown)


def _promotion(shown: EnvironmentStatus) -> tuple[str, str] | None:
    """The next step of an open promotion."""
    pull = shown.promotion
    if pull is None:
        return None
    if shown.hold and pull.state != "success":
        return f"#{pull.number} waits for the end of the hold.", ""
    if pull.state == "success":
        return f"Merge #{pull.number}.", ""
    if pull.state == "pending":
        until = f" (until {utc(shown.soaks_until)})" if shown.soaks_until else ""
        return f"#{pull.number} waits: {pull.detail or 'stagegate checks the rules'}{until}.", ""
    return f"Look at #{pull.number}: {pull.detail or 'the rules were not checked'}.", ""


def _stopped(place: str, shown: EnvironmentStatus) -> tuple[str, str]:
    """The next step where nothing is proposed."""
    if shown.hold:
        return "Lift the hold when its reason no longer applies.", f"/unhold {place}"
    if shown.gate == "running":
        return "The gate is running.", ""
    if shown.soaks_until:
        return f"{shown.next_version} may be promoted after {utc(shown.soaks_until)}.", ""
    if shown.freeze and shown.next_version:
        return f"{shown.next_version} waits: {shown.freeze}.", ""
    if shown.next_version:
        return f"{shown.next_version} may be promoted.", f"/promote {place} {shown.next_version}"
    if shown.gate in ("none", "skipped"):
        return "Run its gate, or record what runs in the environment (staging-gate, `mode: adopt`).", ""
    return "", ""
