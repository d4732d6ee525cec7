"""What to do with a promotion: a pure function of facts and a clock (docs/architecture.md, "Rules")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from stagegate.model import Message, Plan, RuleResult, digest_of, rfc3339
from stagegate.policy import candidate, commit_status, replacement, rules
from stagegate.policy.commit_status import PinsStatus
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.settings import Merge


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The decision: `write` is whether to write; `reason` is the result when nothing is written."""

    write: Literal["commit", "propose", ""]
    reason: str
    message: Message
    rules: tuple[RuleResult, ...] = ()
    verdict: PinsStatus = PinsStatus(state="error", description="not judged")
    merge: Merge = "person"


def decide(facts: PromotionFacts, now: datetime) -> Decision:
    """Whether the change of `facts.subject` is written, and what its status says."""
    subject = facts.subject
    if subject is None:
        return Decision(
            write="", reason="no-difference", message=Message(what=facts.nothing, next="Nothing to do.")
        )
    results = rules.judge(subject, facts, now)
    policy = facts.policy_of(subject.environment).promotion
    back = subject.kind == "rollback"
    merge = (policy.rollback_merge or policy.merge) if back else policy.merge
    status = commit_status.of(results)
    direct = policy.strategy == "direct"
    decision = Decision(
        write="", reason="", message=Message(what=""), rules=results, verdict=status, merge=merge
    )
    blocking = blockers(results, direct=direct)
    if blocking:
        return _refuse(decision, blocking, subject, facts)
    if (turn := candidate.queued(facts, subject, now)) is not None:
        return msgspec.structs.replace(decision, reason="queued", message=turn)
    if facts.foreign and not direct:
        return msgspec.structs.replace(decision, reason="foreign-commits", message=_foreign(facts))
    if (busy := replacement.busy(facts, subject, now)) is not None:
        return msgspec.structs.replace(decision, reason="queued", message=busy)
    if (kept_because := replacement.kept(facts, subject, now)) is not None:
        return msgspec.structs.replace(decision, reason="superseded", message=kept_because)
    if direct and (waiting := [r for r in results if r.state == "wait"]):
        reason = rules.reason(waiting[0], subject, facts)
        return msgspec.structs.replace(decision, reason=reason, message=_waits(subject, waiting))
    return msgspec.structs.replace(
        decision,
        write="commit" if direct else "propose",
        message=Message(what=f"{facts.app} {subject.version} may enter {subject.environment}."),
    )


def plan(facts: PromotionFacts, decision: Decision, now: datetime) -> Plan:
    """The public document of a decision."""
    subject = facts.subject
    return Plan(
        now=rfc3339(now),
        facts_digest=digest_of(facts),
        decision=decision.write or decision.reason,
        rules=decision.rules,
        edits=subject.edits if subject else (),
    )


def blockers(results: Iterable[RuleResult], *, direct: bool) -> tuple[RuleResult, ...]:
    """Results that keep us from proposing, unknown ones first. `direct` has no pull request to wait in."""
    listed = tuple(results)
    unknown = [r for r in listed if r.state == "unknown"]
    stops = [r for r in listed if r.state == "stop" and (direct or not rules.RULES[r.rule].proposable)]
    return (*unknown, *stops)


def _detail(result: RuleResult) -> str:
    """A rule's name and detail, with the time it ends unless the detail contains it."""
    missing = result.until and result.until not in result.detail
    return f"{result.rule}: {result.detail}" + (f" (until {result.until})" if missing else "")


def _refuse(
    decision: Decision, blocking: Sequence[RuleResult], subject: Subject, facts: PromotionFacts
) -> Decision:
    first = blocking[0]
    details = "; ".join(_detail(rule) for rule in blocking)
    others = [r for r in decision.rules if r.state == "wait"]
    waits = f" Also waiting: {'; '.join(describe(r) for r in others)}." if others else ""
    message = Message(
        what=f"{facts.app} {subject.version} may not enter {subject.environment}.",
        why=f"{details}.{waits}",
        next=rules.cure(first, subject, facts),
    )
    return msgspec.structs.replace(
        decision, write="", reason=rules.reason(first, subject, facts), message=message
    )


def describe(result: RuleResult) -> str:
    """One rule in words, with the time when it will pass."""
    until = f" (passes at {result.until})" if result.until else ""
    return f"{result.rule} {result.state}: {result.detail}{until}"


def _waits(subject: Subject, waiting: Sequence[RuleResult]) -> Message:
    until = commit_status.latest(waiting)
    return Message(
        what=f"{subject.version} cannot enter {subject.environment} yet.",
        why="; ".join(describe(r) for r in waiting) + ".",
        next=f"Run promote-pr again at {until}."
        if until
        else "Run promote-pr again when every rule named above passes.",
    )


def _foreign(facts: PromotionFacts) -> Message:
    return Message(
        what=f"The branch {facts.branch} has {len(facts.foreign)} commit(s) that stagegate did not make.",
        why=f"{', '.join(sha[:12] for sha in facts.foreign[:3])}: replacing the branch would lose that work.",
        next="Merge or close the pull request of the branch and delete the branch, then run this again.",
    )
