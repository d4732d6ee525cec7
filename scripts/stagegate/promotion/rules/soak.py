"""soak: good for at least this long in every environment before, counted in GitHub's time."""

from __future__ import annotations

from datetime import datetime, timedelta

from stagegate.model import RuleResult, moment, rfc3339
from stagegate.promotion import proof
from stagegate.promotion.situation import Facts, Subject
from stagegate.settings import seconds

NAME = "soak"


def check(subject: Subject, facts: Facts, now: datetime) -> RuleResult:
    """Wait until the youngest evidence is old enough. Without evidence there is nothing to count from."""
    policy = facts.policy_of(subject.environment)
    least = seconds(policy.soak)
    if not policy.after or not least:
        return RuleResult(rule=NAME, state="pass", detail="no soak is asked for")
    since = []
    for name in policy.after:
        found = proof.of(facts, name, subject.version, subject.release)
        if found.state != "passed":
            return RuleResult(
                rule=NAME, state="wait", detail=f"it counts from evidence in {name}, and there is none"
            )
        since.append(moment(found.since))
    end = max(since) + timedelta(seconds=least)
    if now < end:
        detail = f"good since {rfc3339(max(since))}, soaks for {policy.soak}"
        return RuleResult(rule=NAME, state="wait", detail=detail, until=rfc3339(end))
    return RuleResult(rule=NAME, state="pass", detail=f"good since {rfc3339(max(since))}")
