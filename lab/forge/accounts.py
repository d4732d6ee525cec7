"""People, Apps and their tokens, made when a test or the lab needs them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from lab.forge.state import World
from lab.forge.values import App, Token, User

_PREFIX = {"pat": "ghp_", "actions": "ghs_", "app": "ghs_"}


def user(world: World, login: str, type: str) -> User:
    """The account of this login, made when missing."""
    with world.lock:
        if login not in world.users:
            world.users[login] = User(world.next_id(), login, type)
        return world.users[login]


def app(world: World, slug: str, permissions: Mapping[str, str]) -> App:
    """A new GitHub App with its bot `slug[bot]`."""
    with world.lock:
        bot = user(world, f"{slug}[bot]", "Bot")
        app_record = App(world.next_id(), slug, dict(permissions), bot, world.next_id())
        world.apps[slug] = app_record
        return app_record


def token(
    world: World,
    login: str,
    kind: str,
    repositories: frozenset[str] | None,
    permissions: Mapping[str, str] | None,
    expires: float | None,
) -> str:
    """A new token of a kind in `Forge.token`; `repositories` in lower case."""
    if kind not in _PREFIX:
        raise ValueError(f"kind must be pat, actions, app or anonymous, not {kind!r}")
    if kind == "actions" and (repositories is None or len(repositories) != 1):
        raise ValueError("a GITHUB_TOKEN belongs to exactly one repository")
    with world.lock:
        of_app = world.apps[login.removesuffix("[bot]")] if kind == "app" else None
        rights = permissions
        if of_app:
            owner = of_app.bot
            rights = of_app.permissions if permissions is None else permissions
        elif kind == "actions":
            owner = world.actions_bot
            rights = {"contents": "read"} if permissions is None else permissions
        else:
            owner = user(world, login, "User")
        value = _PREFIX[kind] + secrets.token_hex(18)
        world.tokens[value] = Token(value, kind, owner, repositories, rights, expires, of_app)
        return value
