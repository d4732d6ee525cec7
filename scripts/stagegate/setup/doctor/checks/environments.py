"""environments: the GitHub Environments whose variables and secrets the jobs use exist and are limited."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from stagegate.clients.hub.adoption import EnvironmentSettings
from stagegate.model import Finding
from stagegate.setup.doctor import github_environments
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for missing Environments, and for Environments that every branch may use."""
    hub = facts.hub
    if hub is None:
        return
    if hub.environments is None:
        yield finding(
            "note",
            "The GitHub Environments could not be listed.",
            "The token does not have the permission `actions: read`.",
            "Run doctor with the token of an administrator of the repository.",
        )
        return
    existing = {github_environment.name: github_environment for github_environment in hub.environments}
    protected = any(settings.trust.level == "protected" for _, settings in facts.valid)
    for name, why in github_environments.wanted(facts).items():
        if name not in existing:
            yield finding(
                "error" if protected else "warning",
                f"The GitHub Environment {name} does not exist.",
                f"{why} At the first run, GitHub creates an empty GitHub Environment, without "
                "secrets and without limits.",
                f"gh api --method PUT repos/{hub.repository}/environments/{quote(name, safe='')} "
                "-F 'deployment_branch_policy[protected_branches]=false' "
                "-F 'deployment_branch_policy[custom_branch_policies]=true' && gh api "
                f"repos/{hub.repository}/environments/{quote(name, safe='')}/deployment-branch-policies "
                f"-f name={facts.survey.branch}",
            )
        elif _lets_every_branch_in(existing[name]):
            holds = bool(hub.secrets.get(name)) or protected
            yield finding(
                "error" if protected else "warning" if holds else "note",
                f"Every branch may use the GitHub Environment {name}.",
                "Anybody who can push a branch can read the Environment's secrets with a workflow of their "
                "own. `Protected branches only` ignores rulesets, so without a classic protection rule this "
                "setting "
                "limits nothing.",
                f"gh api --method PUT repos/{hub.repository}/environments/{quote(name, safe='')} "
                "-F 'deployment_branch_policy[protected_branches]=false' "
                "-F 'deployment_branch_policy[custom_branch_policies]=true' && gh api "
                f"repos/{hub.repository}/environments/{quote(name, safe='')}/deployment-branch-policies "
                f"-f name={facts.survey.branch}",
            )


def _lets_every_branch_in(environment: EnvironmentSettings) -> bool:
    """Whether no list of branches limits an Environment. GitHub reports no classic protection rules here, so
    `protected_branches` is not known to limit anything."""
    policy = environment.deployment_branch_policy
    return policy is None or not policy.custom_branch_policies


CHECK = DoctorCheck(
    name="environments",
    looks_at="GitHub Environments of the jobs: whether they exist, and which branches may use them",
    cure="Create the GitHub Environment, and limit it to the default branch.",
    check=check,
    needs=frozenset({"github"}),
)
