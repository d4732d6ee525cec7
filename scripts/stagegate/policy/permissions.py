"""Demands permissions: GitHub reports what each person has, policy says what they need."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.settings import Settings

ORDER = ("none", "read", "triage", "write", "maintain", "admin")


def demand(pins: hub.Hub, policy: Settings, people: Iterable[str], mode: str) -> None:
    """Stop(not-authorised) unless all people who answer for a run have the permission that policy requires.

    A run that names nobody is refused, and an unknown permission is none.
    """
    logins, least, doing = tuple(people), policy.commands.least(mode), f"{mode} {policy.app}"
    if not logins:
        raise Stop(
            "not-authorised",
            f"No person is named for: {doing}.",
            "A mark has an owner, and the owner's permission is checked.",
            "Run it in a workflow, which names the actor.",
        )
    for login in logins:
        has = pins.permission(login)
        if ORDER.index(has) < ORDER.index(least):
            raise Stop(
                "not-authorised",
                f"{login} has no permission to {doing}.",
                f"It requires {least} on {pins.repository}, and {login} has {has}.",
                "Ask a person who has it, or change `commands` in the settings.",
            )
