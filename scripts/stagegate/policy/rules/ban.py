"""ban: this version is not banned."""

from __future__ import annotations

from datetime import datetime

from stagegate.marks import marks
from stagegate.model import RuleResult
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule

NAME = "ban"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:
    """Stop while a ban on the version is in force."""
    ban = marks.ban(facts, subject.version, now)
    if ban is None:
        return RuleResult(rule=NAME, state="pass", detail="not banned")
    until = ban.mark.until if ban.mark is not None else ""
    detail = f"{subject.version} is banned {marks.describe(ban)}"
    return RuleResult(rule=NAME, state="stop", detail=detail, until=until)


RULE = Rule(
    name=NAME,
    title="The version is not banned",
    rank=20,
    kinds=frozenset({"promote", "rollback"}),
    check=check,
    reason="banned-version",
    cure="Promote a different version, or lift the ban with the mode `unban`.",
)
