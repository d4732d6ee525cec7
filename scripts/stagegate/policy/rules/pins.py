"""pins: after the change, all pins of the environment name one release."""

from __future__ import annotations

from datetime import datetime

from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "pins"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop when the pins would disagree, move by themselves, or be gone; unknown when they may not decide."""
    if subject.pins_trouble:
        return RuleResult(rule=NAME, state="stop", detail=subject.pins_trouble)
    if subject.pins_unknown:
        return RuleResult(rule=NAME, state="unknown", detail=subject.pins_unknown)
    return RuleResult(rule=NAME, state="pass", detail=f"every pin names {subject.version}")


RULE = Rule(
    name=NAME,
    title="All pins of the environment name one exact release",
    rank=10,
    kinds=frozenset({"promote", "rollback", "configure"}),
    check=check,
    reason="ambiguous-pin",
    cure="Make every pin of {environment} name the same release.",
    overridable=False,
)
