"""rules-block: no ruleset blocks the writes of stagegate."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor import workflow_calls
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_STOPPING = {
    "pull_request": "every change is made by a pull request",
    "required_status_checks": "every change passes status checks first",
    "update": "only people on the bypass list push",
    "required_signatures": "every commit is signed",
    "required_deployments": "a deployment succeeds first",
    "merge_queue": "every change passes the merge queue",
}
_CLOSED = frozenset({"update", "required_deployments"})  # a release pull request does not help
_SIGNED = frozenset({"required_signatures"})  # commits through the API are signed by GitHub


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for rules that block direct commits: of releases, and of `strategy: direct`."""
    hub = facts.hub
    if hub is None:
        return
    if hub.rules is None:
        yield finding(
            "note",
            f"The rules of {facts.survey.branch} could not be read.",
            "The token may not read rules of branches.",
            "Run doctor with a token that may read the repository.",
        )
        return
    stopping = [_STOPPING[rule.type] for rule in hub.rules if rule.type in _STOPPING.keys() - _SIGNED]
    if not stopping:
        return
    why = f"A rule of {facts.survey.branch} requires that {' and that '.join(dict.fromkeys(stopping))}."
    cure = "Put a GitHub App on the ruleset's bypass list and give the jobs its token (docs/adopt.md, GitHub App)"
    for config, settings, environment in facts.places:
        if environment.promotion.strategy == "direct" and not settings.policy:
            yield finding(
                "error",
                f"Promotions to {environment.name} are direct commits to a protected branch.",
                why,
                f"{cure}; or write `promotion: {{strategy: latest, merge: stagegate}}` in {config}.",
                file=config,
                environment=environment.name,
            )
    if any(settings.version.places and not settings.source for _, settings in facts.valid):
        yield from _releases(facts, {rule.type for rule in hub.rules}, why, cure)


def _releases(facts: DoctorFacts, rules: set[str], why: str, cure: str) -> Iterator[Finding]:
    """Findings for releases with version files that the rules block, by the mode of each call."""
    calls = [call for call in workflow_calls.calls(facts) if call.name in ("version.yml", "version-bump")]
    modes = {str(call.inputs.get("mode") or "auto") for call in calls} or {"auto"}
    cure = f"{cure}; or keep no version in files: `version: {{files: []}}`."
    if "commit" in modes or (rules & _CLOSED and modes & {"auto", "pull-request"}):
        yield finding("error", "version-bump must push its release commits to a protected branch.", why, cure)
    elif modes & {"auto", "pull-request"}:
        yield finding(
            "note",
            "version-bump makes releases by a pull request here.",
            f"{why} Nothing is released until somebody merges the release pull request.",
            f"If releases should need nobody: {cure[0].lower()}{cure[1:]}",
        )


CHECK = DoctorCheck(
    name="rules-block",
    looks_at="Rulesets and protection of the default branch that stop stagegate's own commits",
    cure="Allow a GitHub App to bypass the rule, or use pull requests.",
    check=check,
    needs=frozenset({"github"}),
)
