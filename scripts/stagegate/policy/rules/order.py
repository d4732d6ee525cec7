"""order: every environment before runs this release now, or ran it and moved on to a newer good one."""

from __future__ import annotations

from datetime import datetime

from stagegate import versions
from stagegate.model import RuleResult
from stagegate.policy import evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "order"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop when an environment before runs an older release, or a newer one that is not known to be good."""
    details = []
    for name in facts.policy_of(subject.environment).after:
        state, detail = _one(name, subject, facts)
        if state != "pass":
            return RuleResult(rule=NAME, state="unknown" if state == "unknown" else "stop", detail=detail)
        details.append(detail)
    return RuleResult(
        rule=NAME, state="pass", detail="; ".join(details) or "no environment comes before this environment"
    )


def _one(name: str, subject: Subject, facts: PromotionFacts) -> tuple[str, str]:
    standing = facts.standing(name)
    running = standing.version
    if standing.is_range:  # Git names no version there: the newest record does
        running = next(iter(evidence_for.versions(facts, name)), "")
    if not running:
        return (
            "unknown",
            f"the release in {name} is unknown: {standing.trouble or 'no record names a release'}",
        )
    if running == subject.version:
        return "pass", f"{name} runs this release"
    step = versions.compare(running, subject.version)
    if step is None:
        return "unknown", f"{name} runs {running}, which is not a version that can be compared"
    if step <= 0:
        return "stop", f"{name} runs {running}, not {subject.version}"
    if evidence_for.of(facts, name, running).state != "passed":
        return "stop", f"{name} now runs {running}, which has not passed the gate of {name}"
    if evidence_for.of(facts, name, subject.version).state != "passed":
        return "stop", f"{name} runs {running}, and {subject.version} never passed the gate of {name}"
    return "pass", f"{name} ran this release and now runs {running}, which also passed the gate of {name}"


RULE = Rule(
    name=NAME,
    title="Every environment in `after` runs this release, or ran this release and now runs a newer good "
    "release",
    rank=40,
    kinds=frozenset({"promote"}),
    check=check,
    reason="out-of-order",
    cure="Promote the release to {before} first.",
)
