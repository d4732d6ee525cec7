"""Who may: GitHub is asked about everybody who answers for a run, and policy says what they need."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.settings import Settings

ORDER = ("none", "read", "triage", "write", "maintain", "admin")


def demand(pins: hub.Hub, policy: Settings, people: Iterable[str], mode: str) -> None:
    """Stop(not-authorised) unless GitHub says that all who answer for a run have the right that policy asks.

    Nobody is not enough, and unknown is no right.
    """
    logins, least, doing = tuple(people), policy.commands.least(mode), f"{mode} {policy.app}"
    if not logins:
        raise Stop(
            "not-authorised",
            f"Nobody is named who would {doing}.",
            "A mark has an owner, and the owner's right is looked up.",
            "Run it in a workflow, which names the actor.",
        )
    for login in logins:
        has = pins.permission(login)
        if ORDER.index(has) < ORDER.index(least):
            raise Stop(
                "not-authorised",
                f"{login} may not {doing}.",
                f"It needs {least} on {pins.repository}, and {login} has {has}.",
                "Ask somebody who has it, or change `commands` in the settings.",
            )
