"""checks: the required results of other tools (`promotion.require`) exist and passed."""

from __future__ import annotations

from datetime import datetime

from stagegate.errors import Reason
from stagegate.model import RuleResult, RuleState
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "checks"
_WORST: tuple[RuleState, ...] = ("unknown", "stop", "wait")


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """The worst of all requirements, named; one that was not read, for want of a release, is unknown."""
    required = facts.policy_of(subject.environment).promotion.require
    if not required:
        return RuleResult(rule=NAME, state="pass", detail="the settings require no check of another tool")
    if len(subject.requirements) < len(required):
        return RuleResult(
            rule=NAME,
            state="unknown",
            detail="the release is unknown, so the checks of other tools cannot be read",
        )
    for state in _WORST:
        if named := [one for one in subject.requirements if one.state == state]:
            detail = "; ".join(f"{one.name}: {one.detail}" for one in named)
            return RuleResult(rule=NAME, state=state, detail=detail)
    names = ", ".join(one.name for one in subject.requirements)
    return RuleResult(rule=NAME, state="pass", detail=f"{names} passed")


def _reason(subject: Subject, facts: PromotionFacts) -> Reason:  # noqa: ARG001  one signature for all
    """Whether another tool is still at work, or has found something."""
    return "no-evidence" if any(one.state == "stop" for one in subject.requirements) else "awaiting-review"


RULE = Rule(
    name=NAME,
    title="Statuses and attestations that `promotion.require` names exist and passed",
    rank=85,
    kinds=frozenset({"promote"}),
    check=check,
    reason="no-evidence",
    exact_reason=_reason,
    cure="Read the result of the tool named above, run the tool again for this release, or set an "
    "override of `checks`.",
    waits_for="people",
)
