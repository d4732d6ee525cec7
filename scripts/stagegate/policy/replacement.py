"""Whether another version replaces an open proposal. Pure: facts and a clock decide."""

from __future__ import annotations

from datetime import datetime

from stagegate import versions
from stagegate.model import Message
from stagegate.policy import candidate
from stagegate.policy.facts import PromotionFacts, Proposal, Subject
from stagegate.policy.rules import soak
from stagegate.settings import seconds


def kept(facts: PromotionFacts, subject: Subject, now: datetime) -> Message | None:
    """Why this version does not replace an open proposal: the proposal is newer and valid."""
    proposal = facts.proposal
    each = facts.policy_of(subject.environment).promotion.strategy == "each"
    if proposal is None or subject.kind == "rollback" or each:
        return None
    if not versions.is_older(subject.version, proposal.version) or not candidate.may_still_enter(
        facts, proposal.version, now
    ):
        return None
    return Message(
        what=f"{proposal.version} is already proposed for {subject.environment} (#{proposal.number}).",
        why=f"{subject.version} is older, so it does not replace the release in #{proposal.number}.",
        next="Merge or close that pull request first.",
    )


def busy(facts: PromotionFacts, subject: Subject, now: datetime) -> Message | None:
    """Why a newer version does not replace the open proposal yet (`promotion.replace: when-idle`).

    People approved it, or it soaks; or it has soaked, and the newer version has not. Otherwise releases that come
    faster than a soak takes would replace each other for ever, and none would enter.
    """
    proposal, promotion = facts.proposal, facts.policy_of(subject.environment).promotion
    if proposal is None or subject.kind == "rollback" or promotion.replace == "always":
        return None
    newer = promotion.strategy == "latest" and versions.is_newer(subject.version, proposal.version)
    if not newer or not candidate.may_still_enter(facts, proposal.version, now):
        return None
    if not (why := _busy_with(facts, subject, proposal, now)):
        return None
    return Message(
        what=f"{facts.app} {subject.version} is queued for {subject.environment}.",
        why=f"{proposal.version} is already proposed (#{proposal.number}) and {why}, so it is not replaced.",
        next=f"{subject.version} is proposed when #{proposal.number} is merged. To propose the newer "
        f"release earlier, close #{proposal.number} or ban {proposal.version}.",
    )


def _busy_with(facts: PromotionFacts, subject: Subject, proposal: Proposal, now: datetime) -> str:
    """The reason that a proposal is not replaced; empty without one."""
    if proposal.approvals:
        return f"is approved by {', '.join(proposal.approvals)}"
    if not seconds(facts.policy_of(subject.environment).soak):
        return ""
    open_one = Subject(
        environment=subject.environment,
        kind="promote",
        version=proposal.version,
        before=subject.before,
        proposed_at=proposal.pushed_at,
    )
    result = soak.check(open_one, facts, now)
    if result.state == "wait" and result.until:
        return f"soaks until {result.until}"
    is_behind = result.state == "pass" and soak.check(subject, facts, now).state == "wait"
    return f"has completed its soak, but {subject.version} has not" if is_behind else ""
