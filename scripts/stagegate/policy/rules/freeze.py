"""freeze: no promotion between two dates, both inclusive, in the time zone the settings name."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stagegate.model import RuleResult, rfc3339
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "freeze"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:
    """Wait until the freeze that holds now has ended (the latest, where several do)."""
    ends: list[tuple[datetime, str]] = []
    for freeze in facts.policy_of(subject.environment).freeze:
        try:
            zone = ZoneInfo(freeze.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return RuleResult(
                rule=NAME, state="unknown", detail=f"the time zone {freeze.timezone!r} does not exist"
            )
        begin = datetime.combine(freeze.from_, time(), zone)
        end = datetime.combine(freeze.to + timedelta(days=1), time(), zone)
        if begin <= now < end:
            ends.append((end, f"frozen from {freeze.from_} to {freeze.to} ({freeze.reason})"))
    if ends:
        end, detail = max(ends)
        return RuleResult(rule=NAME, state="wait", detail=detail, until=rfc3339(end))
    return RuleResult(rule=NAME, state="pass", detail="no freeze today")


RULE = Rule(
    name=NAME,
    title="Today is not a day of a freeze",
    rank=100,
    kinds=frozenset({"promote", "configure"}),
    check=check,
    reason="frozen",
    cure="Wait until the freeze ends, or set an override of `freeze`.",
    proposable=True,
)
