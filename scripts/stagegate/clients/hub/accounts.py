"""Accounts in REST and GraphQL responses: two spellings of a bot's login become one Actor."""

from __future__ import annotations

import re
from typing import get_args

import msgspec

from stagegate.model import Actor

ACTIONS_BOT = Actor(kind="Bot", id=41898282, login="github-actions[bot]")
_KINDS = get_args(msgspec.structs.fields(Actor)[0].type)
_BOT_EMAIL = re.compile(r"(\d+)\+([A-Za-z0-9-]+\[bot\])@users\.noreply\.[A-Za-z0-9.-]+")

# Fragments for GraphQL queries, which `Account` and `Author` decode. Other kinds of actor have no database id and
# stay unknown.
ACTOR = """
fragment who on Actor { type: __typename login
  ... on User { id: databaseId } ... on Bot { id: databaseId } ... on Organization { id: databaseId } }"""
AUTHOR = """
fragment by on GitActor { email user { type: __typename login id: databaseId } }"""


class Account(msgspec.Struct, frozen=True):
    """An account in a response; REST's form, which ACTOR imitates."""

    login: str = ""
    id: int | None = None
    type: str = ""

    def actor(self) -> Actor | None:
        """The Actor, or None for an account without an identity."""
        if not self.id or self.type not in _KINDS:
            return None
        bot = self.type == "Bot" and not self.login.endswith("[bot]")
        return Actor(kind=self.type, id=self.id, login=self.login + "[bot]" * bot)  # type: ignore[arg-type]


def actor_of(account: Account | None) -> Actor | None:
    """The Actor of an account that may be missing (deleted accounts are null)."""
    return account.actor() if account else None


class Author(msgspec.Struct, frozen=True):
    """A Git author in GraphQL, which names no account for bots: theirs is read from GitHub's own address."""

    email: str | None = None
    user: Account | None = None

    def actor(self) -> Actor | None:
        """The account, as trustworthy as any address in a commit: not at all by itself."""
        if self.user:
            return self.user.actor()
        match = _BOT_EMAIL.fullmatch(self.email or "")
        return Actor(kind="Bot", id=int(match[1]), login=match[2]) if match else None
