"""hold: no hold stops this environment."""

from __future__ import annotations

from datetime import datetime

from stagegate.marks import marks
from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "hold"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:
    """Stop while any hold on this app or on all apps is in force; one that cannot be read is."""
    holds = marks.holds(facts, subject.environment, now)
    if not holds:
        return RuleResult(rule=NAME, state="pass", detail="not held")
    until = [p.mark.until if p.mark is not None else "" for p in holds]
    detail = "held " + "; ".join(marks.describe(placed) for placed in holds)
    return RuleResult(rule=NAME, state="stop", detail=detail, until=max(until) if all(until) else "")


RULE = Rule(
    name=NAME,
    title="No hold stops promotions into the environment",
    rank=90,
    kinds=frozenset({"promote", "configure"}),
    check=check,
    reason="held-back",
    cure="Ask the owner of the hold, or lift the hold with the mode `unhold`.",
)
