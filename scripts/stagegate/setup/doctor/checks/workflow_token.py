"""workflow-token: the repository's settings let GITHUB_TOKEN open pull requests."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Whether Actions may open pull requests, where promotions are pull requests of GITHUB_TOKEN."""
    hub = facts.hub
    proposed = [
        place.name
        for _, settings, place in facts.places
        if place.promotion.strategy != "direct" and settings.trust.level == "advisory"
    ]
    if hub is None or not proposed:
        return
    if hub.workflow_token is None:
        yield finding(
            "note",
            "It is unknown whether GitHub Actions may open pull requests in this repository.",
            "The token does not have the permission `administration: read`.",
            "Check Settings > Actions > General > Workflow permissions.",
        )
    elif not hub.workflow_token.can_approve_pull_request_reviews:
        yield finding(
            "error",
            "GITHUB_TOKEN may not open pull requests in this repository.",
            f"Promotions to {', '.join(dict.fromkeys(proposed))} need pull requests.",
            f"gh api --method PUT repos/{hub.repository}/actions/permissions/workflow "
            "-f default_workflow_permissions=read -F can_approve_pull_request_reviews=true",
        )


CHECK = DoctorCheck(
    name="workflow-token",
    looks_at="Settings > Actions: whether GITHUB_TOKEN may open pull requests",
    cure="Allow Actions to create pull requests, or use a GitHub App.",
    check=check,
    needs=frozenset({"github"}),
)
