"""irreversible: no rollback over a change that is marked irreversible, or over a removed version of a CRD."""

from __future__ import annotations

from datetime import datetime

from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "irreversible"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop when something between the two versions cannot be taken back; an override lets it pass."""
    if subject.render_trouble:
        return RuleResult(rule=NAME, state="unknown", detail=subject.render_trouble)
    if subject.irreversible:
        return RuleResult(rule=NAME, state="stop", detail="; ".join(subject.irreversible[:3]))
    return RuleResult(
        rule=NAME, state="pass", detail="no change between the two versions is marked irreversible"
    )


RULE = Rule(
    name=NAME,
    title="No change between the two versions is marked irreversible",
    rank=70,
    kinds=frozenset({"rollback"}),
    check=check,
    reason="irreversible",
    cure="Fix the problem in a newer release, or read the difference and then set an override of "
    "`irreversible`.",
)
