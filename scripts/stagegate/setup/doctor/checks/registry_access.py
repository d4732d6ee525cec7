"""registry-access: login and push work at the registries."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Repositories that cannot be read, then those that cannot be pushed to."""
    for one in facts.registry or ():
        if one.unreachable:
            yield finding("note", f"{one.name} could not be reached.", one.trouble, one.cure)
        elif one.trouble:
            yield finding("error", f"{one.name} cannot be read.", one.trouble, one.cure)
        elif one.push_trouble:
            yield finding("error", f"{one.name} cannot be pushed to.", one.push_trouble, one.cure)


CHECK = DoctorCheck(
    name="registry-access",
    looks_at="Login, reading and pushing at the registries of `images` and `chart.repository`",
    cure="docker login <host>; on GHCR: Package settings > Manage Actions access > add the repository, role Write",
    check=check,
    needs=frozenset({"registry"}),
)
