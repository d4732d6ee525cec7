"""shared-policy: the jobs can read the policy that settings extend from another repository."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for private repositories of a policy, where jobs have GITHUB_TOKEN only."""
    for app in facts.apps:
        if app.closed and app.settings is not None and app.settings.trust.level == "advisory":
            yield finding(
                "error",
                f"The jobs cannot read {app.settings.extends}.",
                f"{app.closed} is private, and GITHUB_TOKEN reads only its own repository. Without the policy "
                "every action stops with unknown-state.",
                f"Install a GitHub App in {app.closed} and here, and give each call its `app-id` and the secret "
                "APP_KEY. Or keep a copy of the policy in this repository and name its path in `extends`.",
                file=app.config,
            )


CHECK = DoctorCheck(
    name="shared-policy",
    looks_at="The repository of `extends`: whether the token of a job may read it",
    cure="Make the policy readable for the jobs.",
    check=check,
    needs=frozenset({"github"}),
)
