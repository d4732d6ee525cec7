"""evidence: the gate of every environment before passed, for exactly the digests the release has now (I1).

A rollback needs it from the environment itself; there `adopted` is enough.
"""

from __future__ import annotations

from datetime import datetime

from stagegate.model import RuleResult, RuleState
from stagegate.policy import evidence_for
from stagegate.policy.facts import Facts, Subject

NAME = "evidence"


def check(subject: Subject, facts: Facts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Pass only when every record that must be there is there, newest, trusted and equal in every digest."""
    back = subject.kind == "rollback"
    places = (subject.environment,) if back else facts.policy_of(subject.environment).after
    if subject.release_absent:
        return RuleResult(rule=NAME, state="stop", detail=subject.release_absent)
    if subject.release is None:
        why = subject.release_trouble or f"the release {subject.version} could not be read"
        return RuleResult(rule=NAME, state="unknown", detail=why)
    if not places:
        return RuleResult(rule=NAME, state="pass", detail="nothing comes before this environment")
    if subject.release.chart is None and not subject.release.images:
        detail = "neither chart nor image of the release has a digest to compare"
        return RuleResult(rule=NAME, state="stop", detail=detail)
    good = ("passed", "adopted") if back else ("passed",)
    proofs = [(place, evidence_for.of(facts, place, subject.version, subject.release)) for place in places]
    unknown = [f"{place}: {found.detail}" for place, found in proofs if found.state == "unknown"]
    lacking = [f"{place}: {found.detail}" for place, found in proofs if found.state not in good]
    if unknown or lacking:
        state: RuleState = "unknown" if unknown else "stop"
        return RuleResult(rule=NAME, state=state, detail="; ".join(unknown or lacking))
    detail = "; ".join(f"{place}: {found.detail}" for place, found in proofs)
    return RuleResult(rule=NAME, state="pass", detail=detail)
