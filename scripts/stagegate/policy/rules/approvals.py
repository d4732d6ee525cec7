"""approvals: enough people with write access, none of them an author, approved exactly this head."""

from __future__ import annotations

from datetime import datetime

from stagegate.errors import Reason
from stagegate.model import RuleResult
from stagegate.policy import evidence_for
from stagegate.policy.facts import Kind, PromotionFacts, Subject
from stagegate.policy.rule import Rule
from stagegate.settings import Environment

NAME = "approvals"


def merges_itself(environment: Environment, kind: Kind) -> bool:
    """Whether stagegate merges the pull request of such a change."""
    promotion = environment.promotion
    merge = (promotion.rollback_merge or promotion.merge) if kind == "rollback" else promotion.merge
    return promotion.strategy != "direct" and merge == "stagegate"


def required(environment: Environment, kind: Kind) -> int:
    """How many approvals the settings require: `promotion.approvals`, else one where stagegate merges."""
    if environment.promotion.approvals is not None:
        return environment.promotion.approvals
    return 1 if merges_itself(environment, kind) else 0


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Wait until enough people approved. What others added to a branch of ours needs one person in any case,
    where stagegate would merge it; and stagegate merges nothing but pins."""
    if subject.approvals.other_files:
        named = ", ".join(subject.approvals.other_files[:3])
        return RuleResult(
            rule=NAME,
            state="stop",
            detail=f"stagegate merges only changes of pins, but this pull request also changes {named}",
        )
    promotion = facts.policy_of(subject.environment).promotion
    least = required(facts.policy_of(subject.environment), subject.kind)
    by_us = subject.approvals.merged_by_stagegate
    if by_us and (promotion.approvals is None or subject.approvals.contains_others_work):
        least = max(1, least)
    if not least:
        return RuleResult(rule=NAME, state="pass", detail="no approval is required")
    if subject.approvals.unvouched:
        named = ", ".join(sha[:12] for sha in subject.approvals.unvouched[:3])
        detail = f"no approval counts, because GitHub does not confirm the author or the pusher of {named}"
        return RuleResult(rule=NAME, state="stop", detail=detail)
    words = dict.fromkeys(subject.approvals.people, "")
    words |= {
        login: f" in {place}" for login, place in _carried(subject, facts).items() if login not in words
    }
    if len(words) >= least:
        named = ", ".join(f"{login}{place}" for login, place in words.items())
        return RuleResult(rule=NAME, state="pass", detail=f"approved by {named}")
    many = "an approval" if least == 1 else f"{least} approvals"
    has = f"; so far {len(words)} ({', '.join(words)})" if words else ""
    detail = (
        f"the head of the pull request needs {many} by people with write access who are not its authors{has}"
    )
    return RuleResult(rule=NAME, state="wait", detail=detail)


def _needs_reviews(environment: Environment, kind: Kind) -> bool:
    return bool(required(environment, kind)) or merges_itself(environment, kind)


def _reason(subject: Subject, facts: PromotionFacts) -> Reason:  # noqa: ARG001  one signature for all
    """Whether people are missing, or the branch holds what cannot be approved."""
    approvals = subject.approvals
    return "foreign-commits" if approvals.other_files or approvals.unvouched else "awaiting-review"


def _carried(subject: Subject, facts: PromotionFacts) -> dict[str, str]:
    """Who approved the same digests in an environment before, with its name. What others added was not approved."""
    if subject.kind != "promote" or subject.approvals.contains_others_work or subject.release is None:
        return {}
    approvers: dict[str, str] = {}
    for one in subject.approvals.carried:
        if evidence_for.of(facts, one.environment, subject.version, subject.release).good:
            for login in one.people:
                approvers.setdefault(login, one.environment)
    return approvers


RULE = Rule(
    name=NAME,
    title="Enough people with write access approved the newest commit of the change, and none of them is "
    "its author",
    rank=140,
    kinds=frozenset({"promote", "rollback", "configure"}),
    check=check,
    reason="awaiting-review",
    cure="A person with write access, who is not an author of the pull request, must approve it.",
    proposable=True,
    waits_for="people",
    exact_reason=_reason,
    needs_reviews=_needs_reviews,
)
