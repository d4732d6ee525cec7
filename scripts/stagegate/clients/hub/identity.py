"""The account of the token and its repository: one query, sent once."""

from __future__ import annotations

import msgspec


class Branch(msgspec.Struct, frozen=True):
    """A branch by name."""

    name: str


class Repository(msgspec.Struct, frozen=True, rename="camel"):
    """Facts that never change during a run."""

    id: str
    default_branch_ref: Branch | None = None


class Viewer(msgspec.Struct, frozen=True, rename="camel"):
    """The account of the token. GraphQL calls every viewer a User; only Apps have `[bot]` in their login."""

    login: str
    database_id: int


class About(msgspec.Struct, frozen=True):
    """The token's identity and its repository."""

    viewer: Viewer
    repository: Repository | None


ABOUT = """query($owner: String!, $name: String!) {
  viewer { login databaseId }
  repository(owner: $owner, name: $name) { id defaultBranchRef { name } }
}"""
