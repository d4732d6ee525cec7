"""production-protected: no pin of production moves without an approval or the required status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stagegate.clients.hub import BranchRule
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts, HubFacts
from stagegate.setup.files import CODEOWNERS

STATUS = "stagegate/pins"


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """What protects production, the status that should be required, and who owns the files that decide."""
    hub = facts.hub
    if hub is None or hub.rules is None:
        return
    required = _required(hub.rules)
    protected = [settings for _, settings in facts.valid if settings.trust.level == "protected"]
    ruled = STATUS in required
    for config, settings, environment in facts.places:
        approvals = environment.promotion.approvals
        merged = environment.promotion.merge == "stagegate"
        counted = approvals if approvals is not None else int(merged)
        reviewed = any(_reviews(rule) for rule in hub.rules)
        if environment.is_production and not settings.policy and not (ruled or counted or reviewed):
            yield finding(
                "error" if settings.trust.level == "protected" or merged or approvals == 0 else "warning",
                f"Nothing protects {environment.name}.",
                f"Neither `promotion.approvals` nor a ruleset of {facts.survey.branch} asks for a review, and "
                f"{STATUS} is not required.",
                _require(hub),
                file=config,
                environment=environment.name,
            )
    if facts.apps and not ruled and any(place.is_production for _, _, place in facts.places):
        yield finding(
            "error" if protected else "warning",
            f"The status {STATUS} is not required on {facts.survey.branch}.",
            "A pull request that moves a pin by hand can be merged without the rules.",
            _require(hub),
        )
    elif protected and ruled and not required[STATUS]:
        yield finding(
            "error",
            f"The required status {STATUS} may come from anybody.",
            "Under `trust: protected` only the App's counts, and any workflow can post a status of that name.",
            f"Bind the check to the App {protected[0].trust.app} in the ruleset (`integration_id`).",
        )
    if not any(path in facts.survey.paths for path in CODEOWNERS):
        yield finding(
            "warning",
            "There is no CODEOWNERS file.",
            "Whoever may merge may change the settings, workflows and scenarios that decide about production.",
            "stagegate init --owners @acme/release, and require reviews from code owners in the ruleset",
        )


def _required(rules: tuple[BranchRule, ...]) -> dict[str, Any]:
    """Required statuses with the App that has to post them, None for anybody."""
    required: dict[str, Any] = {}
    for rule in rules:
        for one in rule.parameters.get("required_status_checks") or ():
            required[str(one.get("context"))] = one.get("integration_id")
    return required


def _reviews(rule: BranchRule) -> bool:
    return rule.type == "pull_request" and bool(rule.parameters.get("required_approving_review_count"))


def _require(hub: HubFacts) -> str:
    ruleset = (
        '{"name":"stagegate","target":"branch","enforcement":"active","conditions":{"ref_name":{"include":'
        '["~DEFAULT_BRANCH"],"exclude":[]}},"rules":[{"type":"required_status_checks","parameters":'
        '{"strict_required_status_checks_policy":false,"required_status_checks":[{"context":"stagegate/pins"}]}}]}'
    )
    return f"echo '{ruleset}' | gh api --method POST repos/{hub.repository}/rulesets --input -"


CHECK = DoctorCheck(
    name="production-protected",
    looks_at="What protects production: approvals, the required status, code owners",
    cure="Require the status stagegate/pins in a ruleset.",
    check=check,
    needs=frozenset({"github"}),
)
