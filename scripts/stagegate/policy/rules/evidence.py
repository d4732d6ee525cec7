"""evidence: the gate of every environment before passed, for exactly the digests the release has now (I1).

A rollback needs it from the environment itself; there `adopted` is enough.
"""

from __future__ import annotations

from datetime import datetime

from stagegate.errors import Reason
from stagegate.model import RuleResult, RuleState
from stagegate.policy import evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "evidence"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Pass only when every record that must be there is there, newest, trusted and equal in every digest."""
    back = subject.kind == "rollback"
    places = (subject.environment,) if back else facts.policy_of(subject.environment).after
    if subject.release_absent:
        return RuleResult(rule=NAME, state="stop", detail=subject.release_absent)
    if subject.release is None:
        why = subject.release_trouble or f"the release {subject.version} could not be read"
        return RuleResult(rule=NAME, state="unknown", detail=why)
    if not places:
        return RuleResult(rule=NAME, state="pass", detail="no environment comes before this environment")
    if subject.release.chart is None and not subject.release.images:
        detail = (
            "no chart and no image of the release has a digest, so the evidence cannot be compared "
            "with the release"
        )
        return RuleResult(rule=NAME, state="stop", detail=detail)
    good = ("passed", "adopted") if back else ("passed",)
    proofs = [(place, evidence_for.of(facts, place, subject.version, subject.release)) for place in places]
    unknown = [f"{place}: {verdict.detail}" for place, verdict in proofs if verdict.state == "unknown"]
    lacking = [f"{place}: {verdict.detail}" for place, verdict in proofs if verdict.state not in good]
    if unknown or lacking:
        state: RuleState = "unknown" if unknown else "stop"
        return RuleResult(rule=NAME, state=state, detail="; ".join(unknown or lacking))
    detail = "; ".join(f"{place}: {verdict.detail}" for place, verdict in proofs)
    return RuleResult(rule=NAME, state="pass", detail=detail)


def _reason(subject: Subject, facts: PromotionFacts) -> Reason:
    """Whether evidence is missing, is about other digests, or was revoked."""
    back = subject.kind == "rollback"
    for place in (subject.environment,) if back else facts.policy_of(subject.environment).after:
        state = evidence_for.of(facts, place, subject.version, subject.release).state
        if state == "mismatch":
            return "evidence-mismatch"
        if state == "revoked":
            return "evidence-revoked"
    return "no-evidence"


RULE = Rule(
    name=NAME,
    title="The gate of every environment in `after` passed with exactly the digests of this release",
    rank=30,
    kinds=frozenset({"promote", "rollback"}),
    check=check,
    reason="no-evidence",
    cure="Run the gate of {before} until it passes for exactly these digests, then promote again.",
    exact_reason=_reason,
)
