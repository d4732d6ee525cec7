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
                f"{app.closed} is private, but GITHUB_TOKEN can read only its own repository. "
                "Without the shared policy, every action stops with unknown-state.",
                f"Install a GitHub App in {app.closed} and in this repository, and pass its "
                "`app-id` and the secret APP_KEY to each call. Or keep a copy of the shared policy "
                "in this repository, and write its path into `extends`.",
                file=app.config,
            )


CHECK = DoctorCheck(
    name="shared-policy",
    looks_at="The repository of `extends`: whether the token of a job may read it",
    cure="Make sure that the jobs can read the shared policy.",
    check=check,
    needs=frozenset({"github"}),
)
