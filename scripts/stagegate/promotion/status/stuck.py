"""Why an environment is stuck until a person acts. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from stagegate.marks import marks
from stagegate.model import RuleResult, moment
from stagegate.promotion.status.facts import StatusFacts
from stagegate.report.status import EnvironmentStatus
from stagegate.report.times import utc
from stagegate.settings import Environment

GRACE = timedelta(hours=1)  # a release may be on its way for so long
UNMERGED = timedelta(days=7)  # a proposal that may merge is forgotten after so long


def why(
    facts: StatusFacts, place: Environment, shown: EnvironmentStatus, soaking: RuleResult, now: datetime
) -> str:
    """A sentence, or nothing where all is on its way or somebody stopped it on purpose."""
    banned = marks.ban(facts.promotion, shown.version, now)
    if banned is not None:
        return f"runs {shown.version}, which is banned {marks.describe(banned)}"
    if shown.stuck:
        return shown.stuck
    if shown.hold:
        return f"{shown.next_version} waits for the end of the hold" if shown.next_version else ""
    if shown.promotion:
        return _proposal(facts, place.name, shown, now)
    if soaking.state == "wait" and not soaking.until:
        return f"{shown.next_version}: {soaking.detail}"
    if not shown.next_version or soaking.state == "wait" or shown.freeze or shown.gate == "running":
        return ""
    return _not_proposed(facts, place, shown, now)


def _proposal(facts: StatusFacts, environment: str, shown: EnvironmentStatus, now: datetime) -> str:
    """An open promotion that the rules stop, that has no verdict, or that may merge and is forgotten."""
    pull = shown.promotion
    if pull is None:
        return ""
    if pull.state in ("failure", "error"):
        return f"#{pull.number} may not merge: {pull.detail}"
    newest = next((p.status for p in facts.pulls_of(environment) if p.number == pull.number), None)
    since = newest.created_at if newest else pull.opened
    if pull.state == "success" and moment(since) + UNMERGED < now:
        return f"#{pull.number} has been ready to merge since {utc(since)}"
    if pull.state == "not judged" and moment(since) + GRACE < now:
        return f"#{pull.number} has no verdict yet; comment /status on it or run pin-guard"
    return ""


def _not_proposed(facts: StatusFacts, place: Environment, shown: EnvironmentStatus, now: datetime) -> str:
    """A release that may enter for an hour or more, and that nothing brings."""
    if place.after:
        records = (r for name in place.after for r in facts.promotion.records.get(name, ()))
        passed = [
            r.since for r in records if r.since and r.evidence and r.evidence.version == shown.next_version
        ]
        since, what = min(passed, default=""), f"passed in {', '.join(place.after)}"
    else:
        tag = facts.tag(shown.next_version)
        since, what = (tag.at if tag else ""), "was tagged"
    if not since or moment(since) + GRACE > now:
        return ""
    how = "has not arrived" if place.promotion.strategy == "direct" else "is not proposed"
    return f"{shown.next_version} {what} at {utc(since)} and {how}"
