"""What to do with a promotion: a pure function of facts and a clock (the table of DESIGN's rules and outcomes)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from stagegate.model import Message, Plan, RuleResult, digest_of, moment, rfc3339
from stagegate.policy import precedence, rules
from stagegate.policy.facts import Facts, Subject
from stagegate.settings import Merge

StatusState = Literal["success", "pending", "failure", "error"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The status `stagegate/pins`: may this merge now? `next_at`: when time alone changes it, for better (a wait
    ends) or for worse (an override does)."""

    state: StatusState
    description: str
    next_at: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What happens: `write` says whether anything is; `reason` is its word when nothing is written."""

    write: Literal["commit", "propose", ""]
    reason: str
    message: Message
    rules: tuple[RuleResult, ...] = ()
    verdict: Verdict = Verdict(state="error", description="not judged")
    merge: Merge = "person"


def decide(facts: Facts, now: datetime) -> Decision:
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
    status = verdict(results)
    direct = policy.strategy == "direct"
    decision = Decision(
        write="", reason="", message=Message(what=""), rules=results, verdict=status, merge=merge
    )
    blocking = blockers(results, direct=direct)
    if blocking:
        return _refuse(decision, blocking, subject, facts)
    if (turn := precedence.queued(facts, subject, now)) is not None:
        return msgspec.structs.replace(decision, reason="queued", message=turn)
    if facts.foreign and not direct:
        return msgspec.structs.replace(decision, reason="foreign-commits", message=_foreign(facts))
    if (held := precedence.kept(facts, subject, now)) is not None:
        return msgspec.structs.replace(decision, reason="superseded", message=held)
    if direct and (waiting := [r for r in results if r.state == "wait"]):
        reason = rules.reason(waiting[0], subject, facts)
        return msgspec.structs.replace(decision, reason=reason, message=_waits(subject, waiting))
    if not direct and merge == "stagegate":
        decision = msgspec.structs.replace(
            decision, verdict=with_approval(status, approved=is_approved(facts, subject.environment))
        )
    return msgspec.structs.replace(
        decision,
        write="commit" if direct else "propose",
        message=Message(what=f"{facts.app} {subject.version} may enter {subject.environment}."),
    )


def plan(facts: Facts, decision: Decision, now: datetime) -> Plan:
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
    stops = [r for r in listed if r.state == "stop" and (direct or r.rule not in rules.PROPOSABLE)]
    return (*unknown, *stops)


def verdict(results: Sequence[RuleResult]) -> Verdict:
    """The status of a change: unknown is an error, a stop a failure, time is pending, else success."""
    for state, word in (("unknown", "error"), ("stop", "failure"), ("wait", "pending")):
        found = [r for r in results if r.state == state]
        if found:
            until = _latest(found) if state == "wait" else ""
            text = "; ".join(f"{r.rule}: {r.detail}" for r in found)
            when = f"until {until}: " if until else ""
            return Verdict(state=word, description=when + text, next_at=until)  # type: ignore[arg-type]
    overridden = [r for r in results if rules.is_overridden(r)]
    end = min((r.until for r in overridden if r.until), key=moment, default="")
    until = f" until {end}" if end else ""
    note = f"; OVERRIDDEN{until}: {', '.join(r.rule for r in overridden)}" if overridden else ""
    return Verdict(state="success", description=f"every rule passes{note}", next_at=end)


def with_approval(status: Verdict, *, approved: bool) -> Verdict:
    """Where stagegate merges, success waits for an approval of exactly this head."""
    if status.state != "success" or approved:
        return status
    why = "waits for an approval of this head by somebody with write access who is not the author"
    return Verdict(state="pending", description=why)


def is_approved(facts: Facts, environment: str) -> bool:
    """Whether the open proposal has what `merge-approval` asks for."""
    proposal = facts.proposal
    if facts.policy_of(environment).promotion.merge_approval == "none":
        return True
    return proposal is not None and proposal.equal and bool(proposal.approvals)


def _latest(found: Sequence[RuleResult]) -> str:
    """When all waits have ended; empty when one does not say."""
    return max((r.until for r in found), key=moment) if all(r.until for r in found) else ""


def _said(result: RuleResult) -> str:
    """What a rule says, with the time it ends once."""
    untold = result.until and result.until not in result.detail
    return f"{result.rule}: {result.detail}" + (f" (until {result.until})" if untold else "")


def _refuse(decision: Decision, blocking: Sequence[RuleResult], subject: Subject, facts: Facts) -> Decision:
    first = blocking[0]
    said = "; ".join(_said(rule) for rule in blocking)
    others = [r for r in decision.rules if r.state == "wait"]
    waits = f" Besides: {'; '.join(describe(r) for r in others)}." if others else ""
    message = Message(
        what=f"{facts.app} {subject.version} may not enter {subject.environment}.",
        why=f"{said}.{waits}",
        next=cure(first, subject, facts),
    )
    return msgspec.structs.replace(
        decision, write="", reason=rules.reason(first, subject, facts), message=message
    )


def describe(result: RuleResult) -> str:
    """One rule in words, with the time when it will pass."""
    until = f" (passes at {result.until})" if result.until else ""
    return f"{result.rule} {result.state}: {result.detail}{until}"


def _waits(subject: Subject, waiting: Sequence[RuleResult]) -> Message:
    until = _latest(waiting)
    return Message(
        what=f"{subject.environment} waits with {subject.version}.",
        why="; ".join(describe(r) for r in waiting) + ".",
        next=f"Run it again at {until}." if until else "Run it again when that has changed.",
    )


def _foreign(facts: Facts) -> Message:
    return Message(
        what=f"The branch {facts.branch} has {len(facts.foreign)} commit(s) that stagegate did not make.",
        why=f"{', '.join(sha[:12] for sha in facts.foreign[:3])}: replacing the branch would lose that work.",
        next="Merge or close its pull request and delete the branch, then run again.",
    )


def cure(result: RuleResult, subject: Subject, facts: Facts) -> str:
    """What a person does about a rule that does not pass."""
    before = ", ".join(facts.policy_of(subject.environment).after) or subject.environment
    return (
        {
            "pins": "Let every pin of the environment name the same release.",
            "evidence": f"Let the gate of {before} pass for exactly these digests, then promote again.",
            "order": f"Promote it to {before} first.",
            "direction": "Use mode `rollback` if going back is meant.",
            "ban": "Promote another version, or lift the ban (mode `unban`).",
            "images": "Publish the release again so that its record names the image, or correct the tag; one that "
            "did not move stands under another parameter than `chart.image-tag-value` names.",
            "prerelease": "Promote a final release, or set `prereleases: true` for this environment.",
            "hold": "Ask the person named, or lift the hold (mode `unhold`).",
            "risk": f"Have the change read; an override of `risk` for {subject.environment} lets it enter.",
            "irreversible": "Roll forward, or set an override of `irreversible` after reading the difference.",
        }.get(result.rule, "Run it again; if it stays so, see the log of this run.")
        if result.state == "stop"
        else ("Nothing was written. Run it again when what could not be read is back.")
    )
