"""Demands permissions: GitHub reports what each person has, policy says what they need."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.settings import Settings

ORDER = ("none", "read", "triage", "write", "maintain", "admin")


def is_bot(login: str) -> bool:
    """Whether a login is a bot's; no person's contains a bracket."""
    return login.endswith("[bot]")


def demand(pins: hub.Hub, policy: Settings, people: Iterable[str], mode: str) -> None:
    """Stop(not-authorised) unless all people who answer for a run have the permission that policy requires.

    A run that names nobody is refused, and an unknown permission is none. A bot has none unless `commands.bots`
    names it: a workflow of any branch starts runs as one.
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
        if is_bot(login):
            if login not in policy.commands.bots:
                raise Stop(
                    "not-authorised",
                    f"{login} has no permission to {doing}.",
                    "A workflow of any branch can start a run as a bot, so nobody answers for it.",
                    f"Start it as a person, or add {login} to `commands.bots` in the settings.",
                )
            continue
        has = pins.permission(login)
        if ORDER.index(has) < ORDER.index(least):
            raise Stop(
                "not-authorised",
                f"{login} has no permission to {doing}.",
                f"It requires {least} on {pins.repository}, and {login} has {has}.",
                "Ask a person who has it, or change `commands` in the settings.",
            )
