"""soak: good for at least this long in every environment before, counted in GitHub's time while it ran there."""

from __future__ import annotations

from datetime import datetime, timedelta

from stagegate import versions
from stagegate.evidence.records import Record
from stagegate.evidence.verdict import Verdict
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
        return RuleResult(rule=NAME, state="pass", detail="the environment requires no soak")
    since, short = [], ""
    for name in policy.after:
        verdict = evidence_for.of(facts, name, subject.version, subject.release)
        if verdict.state != "passed":
            return RuleResult(
                rule=NAME,
                state="wait",
                detail=f"the soak counts from the gate that passed in {name}, but no gate passed there",
            )
        since.append(moment(verdict.since))
        short = short or _short(subject, facts, name, verdict, least)
    if short:
        return RuleResult(rule=NAME, state="wait", detail=short)
    end = max(since) + timedelta(seconds=least)
    if now < end:
        detail = f"good since {rfc3339(max(since))}, but must soak for {policy.soak}"
        return RuleResult(rule=NAME, state="wait", detail=detail, until=rfc3339(end))
    return RuleResult(rule=NAME, state="pass", detail=f"good since {rfc3339(max(since))}")


def is_cut_short(subject: Subject, facts: PromotionFacts) -> bool:
    """Whether another release took the place too early. When it was proposed can change that."""
    policy = facts.policy_of(subject.environment)
    least = seconds(policy.soak)
    if not policy.after or not least:
        return False
    verdicts = {name: evidence_for.of(facts, name, subject.version, subject.release) for name in policy.after}
    return any(
        _short(subject, facts, name, verdict, least) for name, verdict in verdicts.items() if verdict.good
    )


def _short(subject: Subject, facts: PromotionFacts, name: str, verdict: Verdict, least: float) -> str:
    """Why this release cannot soak any more: another took its place too early. Empty where none did."""
    other = next(
        (one for one in evidence_for.successors(facts, name, verdict) if not _goes_on(subject, facts, one)),
        None,
    )
    if other is None or other.evidence is None:
        return ""
    good = (moment(other.since) - moment(verdict.since)).total_seconds()
    if good >= least:
        return ""
    policy = facts.policy_of(subject.environment)
    one = f"only the release that runs in {name} can still complete a soak"
    if policy.promotion.strategy == "each":
        one = f"ban {subject.version} to skip this release"
    return (
        f"{subject.version} was good in {name} for only {_span(good)} before {other.evidence.version} replaced "
        f"it, but needs {policy.soak}; {one}, or set `soak` aside with an override"
    )


def _goes_on(subject: Subject, facts: PromotionFacts, other: Record) -> bool:
    """Whether the soak goes on although another release runs: this one was proposed by then, and the other, which
    is newer, contains what it brings. A way back to an older one ends it."""
    keeps = facts.policy_of(subject.environment).promotion.replace == "when-idle"
    if not keeps or not subject.proposed_at or other.evidence is None:
        return False
    was_proposed = moment(subject.proposed_at) <= moment(other.since)
    return was_proposed and versions.is_newer(other.evidence.version, subject.version)


def _span(length: float) -> str:
    """A length of time in the largest unit that fits: `90s`, `45m`, `30h`."""
    unit, size = next(((u, n) for u, n in (("h", 3600), ("m", 60)) if length >= 2 * n), ("s", 1))
    return f"{int(length // size)}{unit}"


RULE = Rule(
    name=NAME,
    title="The release was good long enough in every environment in `after`",
    rank=120,
    kinds=frozenset({"promote"}),
    check=check,
    reason="soaking",
    cure="Wait until the soak of the release ends, or set an override of `soak`.",
    proposable=True,
)
