"""token: what kind of token was used, and what it may do."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """The token's kind as a note; a person's token that may not write."""
    hub = facts.hub
    if hub is None:
        return
    unread = [
        name
        for name, value in (
            ("Environments", hub.environments),
            ("secrets", hub.secrets.get("")),
            ("variables", hub.variables.get("")),
            ("Actions settings", hub.workflow_token),
            ("rules", hub.rules),
        )
        if value is None
    ]
    unreadable = f" It may not read: {', '.join(unread)}." if unread else ""
    yield finding(
        "note",
        f"The token is {hub.token_kind} of {hub.login}.{unreadable}",
        "Jobs run with tokens of their own. docs/permissions.md lists the permissions of these tokens.",
        "Run doctor with the token of an administrator of the repository." if unread else "Nothing to do.",
    )
    may = hub.settings.permissions
    if may and not may.get("push"):
        yield finding(
            "error",
            f"{hub.login} may not write to {hub.repository}.",
            "People need write access to promote, hold or roll back.",
            f"Ask an administrator: gh api --method PUT repos/{hub.repository}/collaborators/{hub.login} "
            "-f permission=push",
        )


CHECK = DoctorCheck(
    name="token",
    looks_at="The token of doctor: its kind, its owner, and what it may not read",
    cure="Use a token with the permissions of docs/permissions.md.",
    check=check,
    needs=frozenset({"github"}),
)
