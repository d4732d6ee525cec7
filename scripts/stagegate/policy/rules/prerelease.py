"""prerelease: release candidates enter only where they are admitted."""

from __future__ import annotations

from datetime import datetime

from stagegate.model import RuleResult, is_prerelease
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule
from stagegate.versions import Version

NAME = "prerelease"


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:  # noqa: ARG001  one signature for all
    """Stop for a pre-release version where `prereleases` is not true."""
    if not Version.is_valid(subject.version):
        return RuleResult(rule=NAME, state="unknown", detail=f"{subject.version!r} is not a version")
    if not is_prerelease(subject.version):
        return RuleResult(rule=NAME, state="pass", detail="not a pre-release")
    if facts.policy_of(subject.environment).admits_prereleases:
        return RuleResult(rule=NAME, state="pass", detail=f"{subject.environment} allows pre-releases")
    return RuleResult(
        rule=NAME,
        state="stop",
        detail=f"{subject.version} is a pre-release, but {subject.environment} does not allow "
        "pre-releases (prereleases: false)",
    )


RULE = Rule(
    name=NAME,
    title="Pre-releases enter only where `prereleases` allows them",
    rank=80,
    kinds=frozenset({"promote"}),
    check=check,
    reason="prerelease",
    cure="Promote a final release, or set `prereleases: true` for {environment}.",
)
