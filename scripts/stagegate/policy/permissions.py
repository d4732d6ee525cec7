"""Demands permissions: the policy requires them, GitHub reports them. An unknown permission is a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.settings import Settings
from stagegate.settings.app import Allowed

ORDER = ("none", "read", "triage", "write", "maintain", "admin")


def is_bot(login: str) -> bool:
    """Whether a login is a bot's; no person's contains a bracket."""
    return login.endswith("[bot]")


def is_named_bot(policy: Settings, login: str) -> bool:
    """Whether `commands.bots` names this bot. Logins have no upper and lower case for GitHub."""
    return is_bot(login) and login.lower() in (name.lower() for name in policy.commands.bots)


def demand(
    pins: hub.Hub, policy: Settings, people: Iterable[str], mode: str, known: Mapping[str, str] | None = None
) -> None:
    """Stop(not-authorised) unless policy allows `mode` to all people who answer for a run.

    A run that names nobody is refused, and an unknown permission is none. `known` are permissions by login that
    GitHub has reported already. Stop(bad-settings) where a team decides and the token may not ask for its members.
    """
    logins = tuple(people)
    if not logins:
        raise Stop(
            "not-authorised",
            f"No person started this run, but {mode} {policy.app} requires a person.",
            "stagegate records the person who sets a mark, and checks the person's permission.",
            "Run the action in a workflow, where GitHub reports the person who started the run.",
        )
    for login in logins:
        if not may(pins, policy, login, mode, known):
            raise refusal(pins, policy, login, mode, known)


def may(
    pins: hub.Hub, policy: Settings, login: str, mode: str, known: Mapping[str, str] | None = None
) -> bool:
    """Whether policy allows a mode to a person: by name, by permission on the pins repository, or by a team.

    A bot has no permission unless `commands.bots` names it: a workflow of any branch starts runs as one.
    """
    if is_bot(login):
        return is_named_bot(policy, login)
    allowed = policy.commands.of(mode)
    if login.lower() in (name.lower() for name in names(allowed)):
        return True
    least = lowest(allowed)
    if least and ORDER.index(_permission(pins, login, known)) >= ORDER.index(least):
        return True
    return any(_is_member(pins, team, login, mode) for team in teams(allowed))


def refusal(
    pins: hub.Hub, policy: Settings, login: str, mode: str, known: Mapping[str, str] | None = None
) -> Stop:
    """The Stop for somebody who may not."""
    if is_bot(login):
        return refusal_of_bot(policy, login, mode)
    has = _permission(pins, login, known)
    return Stop(
        "not-authorised",
        f"{login} has no permission to {mode} {policy.app}.",
        f"The mode {mode} requires {described(policy.commands.of(mode))} on {pins.repository}, but "
        f"{login} has {has}.",
        "Ask a person who has this permission, or change `commands` in the settings.",
    )


def refusal_of_bot(policy: Settings, login: str, mode: str) -> Stop:
    """The Stop for a bot that policy does not name."""
    return Stop(
        "not-authorised",
        f"{login} has no permission to {mode} {policy.app}.",
        "A workflow on any branch can start a run as a bot, so no person is accountable for that run.",
        f"Start the run as a person, or add {login} to `commands.bots` in the settings.",
    )


def entries(allowed: Allowed) -> tuple[str, ...]:
    """The entries of a permission or list."""
    return (allowed,) if isinstance(allowed, str) else allowed


def is_list(policy: Settings, mode: str) -> bool:
    """Whether policy names teams or logins for a mode, so that a permission alone does not decide."""
    return not isinstance(policy.commands.of(mode), str)


def joined(*several: Allowed) -> Allowed:
    """Everybody whom one of several settings allows."""
    return tuple(dict.fromkeys(entry for allowed in several for entry in entries(allowed)))


def lowest(allowed: Allowed) -> str:
    """The least of the permissions that are named; empty where none is."""
    named = [entry for entry in entries(allowed) if entry in ORDER]
    return min(named, key=ORDER.index, default="")


def teams(allowed: Allowed) -> tuple[str, ...]:
    """The teams that are named, as `org/slug`."""
    return tuple(entry for entry in entries(allowed) if "/" in entry)


def names(allowed: Allowed) -> tuple[str, ...]:
    """The logins that are named."""
    return tuple(entry for entry in entries(allowed) if "/" not in entry and entry not in ORDER)


def described(allowed: Allowed) -> str:
    """`write`, or `maintain, acme/shop-oncall or octo-lead`."""
    *most, last = entries(allowed) or ("nobody",)
    return f"{', '.join(most)} or {last}" if most else last


def _permission(pins: hub.Hub, login: str, known: Mapping[str, str] | None) -> str:
    return known[login] if known and login in known else pins.permission(login)


def _is_member(pins: hub.Hub, team: str, login: str, mode: str) -> bool:
    member = None if pins.is_actions_token() else pins.is_member(team, login)
    if member is None:
        raise Stop(
            "bad-settings",
            f"`commands.{mode}` names the team {team}, but this job's token may not read the "
            "members of the team.",
            "GITHUB_TOKEN can never read the members of a team, and a GitHub App needs `members: "
            "read` to read them.",
            f"Pass `app-id` and `app-key` of an App with `members: read`, or name logins in `commands.{mode}`.",
        )
    return member
