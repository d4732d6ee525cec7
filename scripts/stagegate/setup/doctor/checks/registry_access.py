"""registry-access: login and push work at the registries."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for repositories that cannot be read or pushed to."""
    for repository in facts.registry or ():
        if repository.unreachable:
            yield finding(
                "note", f"{repository.name} could not be reached.", repository.trouble, repository.cure
            )
        elif repository.trouble:
            yield finding("error", f"{repository.name} cannot be read.", repository.trouble, repository.cure)
        elif repository.push_trouble:
            yield finding(
                "error", f"{repository.name} cannot be pushed to.", repository.push_trouble, repository.cure
            )


CHECK = DoctorCheck(
    name="registry-access",
    looks_at="Whether the registries of `images` and `chart.repository` allow to log in, read and push",
    cure="Run `docker login <host>`. On GHCR, go to Package settings > Manage Actions access, and add "
    "the repository with the role Write.",
    check=check,
    needs=frozenset({"registry"}),
)
