"""soak: good for at least this long in every environment before, counted in GitHub's time while it ran there."""

from __future__ import annotations

from datetime import datetime, timedelta

from stagegate.evidence.records import Verdict
from stagegate.model import RuleResult, moment, rfc3339
from stagegate.policy import evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule
from stagegate.settings import seconds

NAME = "soak"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:
    """Wait until the youngest evidence is old enough; what was replaced too early waits for somebody to decide.

    Without evidence there is nothing to count from.
    """
    policy = facts.policy_of(subject.environment)
    least = seconds(policy.soak)
    if not policy.after or not least:
        return RuleResult(rule=NAME, state="pass", detail="no soak is required")
    since, short = [], ""
    for name in policy.after:
        verdict = evidence_for.of(facts, name, subject.version, subject.release)
        if verdict.state != "passed":
            return RuleResult(
                rule=NAME,
                state="wait",
                detail=f"the soak counts from passing evidence in {name}, which is missing",
            )
        since.append(moment(verdict.since))
        short = short or _short(subject, facts, name, verdict, least)
    if short:
        return RuleResult(rule=NAME, state="wait", detail=short)
    end = max(since) + timedelta(seconds=least)
    if now < end:
        detail = f"good since {rfc3339(max(since))}, soaks for {policy.soak}"
        return RuleResult(rule=NAME, state="wait", detail=detail, until=rfc3339(end))
    return RuleResult(rule=NAME, state="pass", detail=f"good since {rfc3339(max(since))}")


def _short(subject: Subject, facts: PromotionFacts, name: str, verdict: Verdict, least: float) -> str:
    """Why this release cannot soak any more: another took its place too early. Empty where none did."""
    other = evidence_for.successor(facts, name, verdict)
    if other is None or other.evidence is None:
        return ""
    good = (moment(other.since) - moment(verdict.since)).total_seconds()
    if good >= least:
        return ""
    policy = facts.policy_of(subject.environment)
    one = "only what runs there now can still soak"
    if policy.promotion.strategy == "each":
        one = f"ban {subject.version} to pass it over"
    return (
        f"good in {name} only {_span(good)} before {other.evidence.version} came, needs {policy.soak}; "
        f"{one}, or set `soak` aside by an override"
    )


def _span(length: float) -> str:
    """A length of time in the largest unit that tells it well: `90s`, `45m`, `30h`."""
    unit, size = next(((u, n) for u, n in (("h", 3600), ("m", 60)) if length >= 2 * n), ("s", 1))
    return f"{int(length // size)}{unit}"


RULE = Rule(
    name=NAME,
    title="The release was good for long enough in every environment in `after`",
    rank=120,
    kinds=frozenset({"promote"}),
    check=check,
    reason="soaking",
    cure="Wait until the release has soaked for long enough, or set an override of `soak`.",
    proposable=True,
)
