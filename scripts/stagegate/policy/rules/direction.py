"""direction: a promotion goes to a newer version. A rollback has its own mode."""

from __future__ import annotations

from datetime import datetime

from stagegate import versions
from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "direction"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop when the environment runs something newer; unknown when what it runs cannot be compared."""
    if not subject.before:
        why = facts.standing(subject.environment).trouble or "the pins of the environment name no version"
        return RuleResult(
            rule=NAME, state="unknown", detail=f"the release in {subject.environment} is unknown: {why}"
        )
    step = versions.compare(subject.version, subject.before)
    if step is None:
        detail = f"{subject.before} and {subject.version} cannot be compared as versions"
        return RuleResult(rule=NAME, state="unknown", detail=detail)
    if step < 0:
        detail = (
            f"{subject.environment} runs {subject.before}, which is newer than {subject.version}; "
            "to go back, use a rollback"
        )
        return RuleResult(rule=NAME, state="stop", detail=detail)
    return RuleResult(rule=NAME, state="pass", detail=f"from {subject.before} to {subject.version}")


RULE = Rule(
    name=NAME,
    title="The promotion goes to a newer version, not to an older one",
    rank=50,
    kinds=frozenset({"promote"}),
    check=check,
    reason="older-version",
    cure="To go back to an earlier version, use the mode `rollback`.",
)
