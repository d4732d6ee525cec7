"""production-protected: no pin of production moves without an approval or the required status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stagegate.clients.hub import BranchRule
from stagegate.model import Finding, statuses
from stagegate.settings import Environment
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts, HubFacts
from stagegate.setup.files import CODEOWNERS

STATUS = statuses.PINS


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for unprotected production, for the required status, and for owners of deciding files."""
    hub = facts.hub
    if hub is None:
        return
    rules = tuple(rule for rule in hub.rules or () if rule.ruleset not in hub.unbound)
    required = _required(rules)
    owned = any(path in facts.survey.paths for path in CODEOWNERS)
    protected = [settings for _, settings in facts.valid if settings.trust.level == "protected"]
    ruled = STATUS in required
    committed = [] if protected else list(_committed(facts))
    everything_read = hub.rules is not None and hub.reads_protection
    for config, settings, environment in facts.places:
        approvals = environment.promotion.approvals
        merged = environment.promotion.merge == "stagegate"
        counted = approvals if approvals is not None else int(merged)
        strict = settings.trust.level == "protected" or merged or approvals == 0
        reviewed = any(_reviews(rule, owned=owned) for rule in rules)
        if environment.is_production and not settings.policy and not (ruled or counted or reviewed):
            yield finding(
                "error" if strict or everything_read else "warning",
                f"No rule protects {environment.name}.",
                f"Neither `promotion.approvals` nor a ruleset of {facts.survey.branch} requires a review, and "
                f"{STATUS} is not required{_unread(hub)}.",
                _approve(environment, config, _after_app(hub, committed)) if committed else _require(hub),
                file=config,
                environment=environment.name,
            )
    if facts.apps and not ruled and any(place.is_production for _, _, place in facts.places):
        yield finding(
            "error" if protected else "warning",
            f"The status {STATUS} is not required on {facts.survey.branch}.",
            "A pull request that changes a pin by hand can be merged although the rules do not pass.",
            _after_app(hub, committed) if committed else _require(hub),
        )
    elif protected and ruled and not required[STATUS]:
        yield finding(
            "error",
            f"Any account can write the required status {STATUS}.",
            "Under `trust: protected` only the status of the App counts, but any workflow can "
            "write a status with this name.",
            f"Bind the check to the App {protected[0].trust.app} in the ruleset (`integration_id`).",
        )
    if not owned:
        yield finding(
            "warning",
            "The repository has no CODEOWNERS file.",
            "Everybody who may merge can therefore change the settings, workflows and scenarios "
            "that decide about production.",
            "stagegate init --owners @acme/release, and require reviews from code owners in the ruleset",
        )


def _required(rules: tuple[BranchRule, ...]) -> dict[str, Any]:
    """Required statuses with the App that must write them (None: any account)."""
    required: dict[str, Any] = {}
    for rule in rules:
        for status in rule.parameters.get("required_status_checks") or ():
            required[str(status.get("context"))] = status.get("integration_id")
    return required


def _reviews(rule: BranchRule, *, owned: bool) -> bool:
    """Whether a rule requires a review; that of a code owner only where the repository has some (`owned`)."""
    if rule.type != "pull_request":
        return False
    by_owner = owned and rule.parameters.get("require_code_owner_review")
    return bool(rule.parameters.get("required_approving_review_count") or by_owner)


def _unread(hub: HubFacts) -> str:
    """A sentence about protections that could not be read."""
    if hub.rules is None:
        return ", as far as doctor knows, because the rules could not be read"
    if hub.unbound:
        return ". Rulesets that everybody with write access may bypass do not count"
    if not hub.reads_protection:
        return (
            ", as far as doctor knows, because only the token of an administrator can read classic "
            "branch protection"
        )
    return ""


def _committed(facts: DoctorFacts) -> Iterator[str]:
    """The commits of the job's token to the branch, which a required status refuses."""
    if any(settings.version.places and not settings.source for _, settings in facts.valid):
        yield "version-bump"
    for _, settings, environment in facts.places:
        if environment.promotion.strategy == "direct" and not settings.policy:
            yield f"promotions to {environment.name}"


def _approve(environment: Environment, config: str, more: str) -> str:
    return f"Write `promotion: {{approvals: 1}}` for {environment.name} in {config}. {more}"


def _after_app(hub: HubFacts, committed: list[str]) -> str:
    """Instructions to require the status although commits need a bypass."""
    commits = " and ".join(dict.fromkeys(committed))
    bypass = (
        '"bypass_actors":[{"actor_id":<ID of the App>,"actor_type":"Integration","bypass_mode":"always"}],'
    )
    return (
        f"A ruleset that requires {STATUS} also refuses the commits of {commits}. To require it, first give "
        "stagegate a GitHub App (docs/adopt.md, GitHub App), which the ruleset lets bypass it: "
        f"{_require(hub, bypass)}"
    )


def _require(hub: HubFacts, bypass: str = "") -> str:
    ruleset = (
        f'{{"name":"stagegate","target":"branch","enforcement":"active",{bypass}'
        '"conditions":{"ref_name":{"include":'
        '["~DEFAULT_BRANCH"],"exclude":[]}},"rules":[{"type":"required_status_checks","parameters":'
        '{"strict_required_status_checks_policy":false,"required_status_checks":[{"context":"stagegate/pins"}]}}]}'
    )
    return f"echo '{ruleset}' | gh api --method POST repos/{hub.repository}/rulesets --input -"


CHECK = DoctorCheck(
    name="production-protected",
    looks_at="The protection of production: approvals, the required status, code owners",
    cure="Require the status stagegate/pins in a ruleset.",
    check=check,
    needs=frozenset({"github"}),
)
