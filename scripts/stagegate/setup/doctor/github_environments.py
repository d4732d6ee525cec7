"""Lists the GitHub Environments that the jobs of a repository use."""

from __future__ import annotations

from stagegate.settings import Environment
from stagegate.setup.doctor.facts import DoctorFacts

JOBS = "stagegate"  # of jobs that write but run no gate


def name_of(facts: DoctorFacts, app: str, environment: Environment) -> str:
    """The GitHub Environment of an environment."""
    return environment.github_environment_of(app, several=facts.several)


def wanted(facts: DoctorFacts) -> dict[str, str]:
    """Every GitHub Environment that jobs use, with its purpose as a sentence."""
    environments = {
        name_of(
            facts, settings.app, place
        ): f"The gate of {settings.app} in {place.name} runs in this GitHub Environment."
        for _, settings, place in facts.places
        if not settings.policy
    }
    if any(settings.trust.level == "protected" for _, settings in facts.valid):
        environments[JOBS] = (
            "Promotions, commands and pin-guard run in this GitHub Environment, with the key of the "
            "GitHub App."
        )
    return environments
