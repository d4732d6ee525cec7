"""repository-settings: the settings on GitHub allow what stagegate.yaml requires."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_FIELDS = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for archived repositories, disabled merge methods, and another default branch."""
    hub = facts.hub
    if hub is None:
        return
    if hub.settings.archived:
        yield finding(
            "error",
            f"{hub.repository} is archived.",
            "stagegate cannot write to an archived repository.",
            f"gh repo unarchive {hub.repository}",
        )
    for config, _, environment in facts.places:
        promotion = environment.promotion
        field = _FIELDS[promotion.merge_method]
        if (
            "stagegate" in (promotion.merge, promotion.rollback_merge)
            and getattr(hub.settings, field) is False
        ):
            yield finding(
                "error",
                f"The repository does not allow the merge method {promotion.merge_method}.",
                f"stagegate merges promotions to {environment.name} with this method.",
                f"gh api --method PATCH repos/{hub.repository} -F {field}=true, or another "
                f"`promotion.merge-method` in {config}.",
                file=config,
                environment=environment.name,
            )
    if facts.survey.branch != hub.settings.default_branch:
        yield finding(
            "note",
            f"The default branch is {hub.settings.default_branch}, but {facts.survey.branch} is checked out.",
            "stagegate reads the settings only from the default branch.",
            f"git switch {hub.settings.default_branch}",
        )


CHECK = DoctorCheck(
    name="repository-settings",
    looks_at="The repository's settings: merge methods, default branch, archived",
    cure="Change the setting on GitHub.",
    check=check,
    needs=frozenset({"github"}),
)
