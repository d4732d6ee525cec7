"""production-reviewed: the settings require a review before production."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_RULES = "A ruleset of the branch may still require a review, but doctor cannot read rulesets without GitHub."


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for direct commits to production, then for merges without an approval.

    With GitHub, the check `production-protected` knows more about the second.
    """
    for config, settings, environment in facts.places:
        promotion = environment.promotion
        if not environment.is_production or settings.policy:
            continue
        if promotion.strategy == "direct":
            yield finding(
                "warning",
                f"Nobody reviews a promotion to {environment.name}.",
                "With `strategy: direct`, stagegate commits the pin as soon as the rules pass, "
                "without a pull request.",
                f"Write `promotion: {{strategy: latest}}` for {environment.name} in {config}, or "
                "`production: false` if this environment is not a production.",
                file=config,
                environment=environment.name,
            )
        elif facts.hub is None and promotion.merge == "stagegate" and promotion.approvals == 0:
            yield finding(
                "warning",
                f"stagegate merges promotions to {environment.name} without an approval.",
                f"`approvals: 0` is set. {_RULES}",
                f"Write `approvals: 1` for {environment.name} in {config}.",
                file=config,
                environment=environment.name,
            )


CHECK = DoctorCheck(
    name="production-reviewed",
    looks_at="Settings that let a release enter production without a review",
    cure="Require an approval for promotions to production.",
    check=check,
)
