"""environment-order: a release reaches production after another environment has proven it."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding, Severity
from stagegate.settings import Environment, Settings
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.environments import PRODUCTION, rank


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for production without an environment before it, and for environments after production."""
    for config, settings, environment in facts.places:
        named = rank(environment.name) == PRODUCTION
        if not environment.after and (named or environment.is_production):
            yield _first(config, settings, environment)
        for name in environment.after:
            if rank(name) == PRODUCTION and not named:
                yield finding(
                    "warning",
                    f"{environment.name} of {settings.app} comes after {name}.",
                    f"A release would therefore be deployed to {name} before {environment.name} "
                    "has tested the release.",
                    f"If {environment.name} comes first, write `after: [{environment.name}]` for {name} in "
                    f"{config} and delete `after` of {environment.name}.",
                    file=config,
                    environment=environment.name,
                )


def _first(config: str, settings: Settings, environment: Environment) -> Finding:
    before = [
        other_environment.name
        for other_environment in settings.environments
        if other_environment.name != environment.name and not other_environment.after
    ]
    severity: Severity = "error" if before and not environment.is_production else "warning"
    unseen = (
        ""
        if environment.is_production
        else " Because no environment comes before it, the environment does not count as production, so "
        "pre-releases may be promoted to it."
    )
    return finding(
        severity,
        f"{environment.name} of {settings.app} has no `after`, so releases are promoted to "
        f"{environment.name} without a test.",
        "For an environment without `after`, the rules `evidence`, `order` and `soak` always pass, so "
        f"every new release is promoted to it untested.{unseen}",
        f"Write `after: [{before[0] if before else 'staging'}]` for {environment.name} in {config}."
        if before
        else "Add an environment before it. If releases should reach production untested, write "
        f"`production: true` in {config}.",
        file=config,
        environment=environment.name,
    )


CHECK = DoctorCheck(
    name="environment-order",
    looks_at="The order of the environments: which gates a release must pass before production",
    cure="Name the earlier environment in `after`.",
    check=check,
)
