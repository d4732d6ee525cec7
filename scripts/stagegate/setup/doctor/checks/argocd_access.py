"""argocd-access: Argo CD can be reached, and its token may see the Applications."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for each Application that could not be read, with Argo CD's reason."""
    for application in facts.argocd or ():
        if application.trouble:
            yield finding(
                "error", application.trouble, "", application.cure, environment=application.environment
            )


CHECK = DoctorCheck(
    name="argocd-access",
    looks_at="Argo CD's address, its token, and `get` on each Application",
    cure="argocd-rbac-cm: p, role:stagegate, applications, get, <project>/*, allow",
    check=check,
    needs=frozenset({"argocd"}),
)
