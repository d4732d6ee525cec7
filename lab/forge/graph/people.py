"""Viewer, users, bots, connections, rate limit, and what every node has."""

from __future__ import annotations

from collections.abc import Mapping

from lab.forge.graph.arguments import Arguments, Field, Table
from lab.forge.graph.nodes import Asker, Connection, Edge, find_node, node_id
from lab.forge.permissions import visible
from lab.forge.refusal import not_found
from lab.forge.state import Repository
from lab.forge.values import User


def _login(_asker: Asker, user: User, _given: Arguments) -> str:
    return user.short_login


def _url(asker: Asker, user: User, _given: Arguments) -> str:
    return f"{asker.world.url}/{user.short_login}"


def _viewer(asker: Asker, _source: object, _given: Arguments) -> Mapping[str, object]:
    """The only field in which GraphQL shows a bot's login with its `[bot]`."""
    user = asker.token.user
    return {
        "login": user.login, "databaseId": user.id, "id": user.node_id, "name": user.login, "email": "",
        "url": f"{asker.world.url}/{user.short_login}", "resourcePath": f"/{user.short_login}",
        "avatarUrl": f"{asker.world.url}/avatars/{user.id}",
    }  # fmt: skip


def _user(asker: Asker, _source: object, arguments: Arguments) -> User:
    user = asker.world.user(arguments.text("login"))
    if user is None or user.type != "User":
        raise not_found(f"Could not resolve to a User with the login of '{arguments.text('login')}'.")
    return user


def _repository(asker: Asker, _source: object, arguments: Arguments) -> Repository:
    name = f"{arguments.text('owner')}/{arguments.text('name')}"
    repository = asker.world.find(name)
    if repository is None or not visible(asker.token, repository):
        raise not_found(f"Could not resolve to a Repository with the name '{name}'.")
    return repository


def _node(asker: Asker, _source: object, arguments: Arguments) -> object:
    subject = find_node(asker.world, arguments.text("id"))
    repo = subject if isinstance(subject, Repository) else getattr(subject, "repository", None)
    if isinstance(repo, Repository) and not visible(asker.token, repo):
        raise not_found(f"Could not resolve to a node with the global id of '{arguments.text('id')}'")
    return subject


def _rate_limit(asker: Asker, _source: object, _given: Arguments) -> Mapping[str, object]:
    return {
        "cost": 1, "limit": 5000, "nodeCount": 0, "remaining": 4999, "used": 1, "resetAt": asker.world.now(),
    }  # fmt: skip


def _nodes(_asker: Asker, source: Connection, _given: Arguments) -> list[object]:
    return list(source.items)


def _edges(_asker: Asker, source: Connection, _given: Arguments) -> list[Edge]:
    return [Edge(node, f"cursor:{source.offset + place}") for place, node in enumerate(source.items, 1)]


def _page_info(_asker: Asker, source: Connection, _given: Arguments) -> Mapping[str, object]:
    end = source.offset + len(source.items)
    return {
        "endCursor": f"cursor:{end}" if source.items else None, "hasNextPage": end < source.total,
        "startCursor": f"cursor:{source.offset + 1}" if source.items else None,
        "hasPreviousPage": source.offset > 0,
    }  # fmt: skip


def _total(_asker: Asker, source: Connection, _given: Arguments) -> int:
    return source.total


def _id(_asker: Asker, source: object, _given: Arguments) -> object:
    return source["id"] if isinstance(source, Mapping) else node_id(source)


ACTOR: dict[str, Field] = {
    "login": _login, "databaseId": lambda _asker, user, _given: user.id, "url": _url,
    "resourcePath": lambda _asker, user, _given: f"/{user.short_login}", "id": _id,
    "avatarUrl": lambda asker, user, _given: f"{asker.world.url}/avatars/{user.id}",
    "name": lambda _asker, user, _given: user.login, "email": lambda *_: "",
    "createdAt": lambda asker, *_: asker.world.now(), "updatedAt": lambda asker, *_: asker.world.now(),
}  # fmt: skip


def _of_viewer(name: str, field: Field) -> Field:
    """A field of User that also reads the viewer's ready-made answers."""

    def read(asker: Asker, source: object, arguments: Arguments) -> object:
        return source[name] if isinstance(source, Mapping) else field(asker, source, arguments)

    return read


PERSON = {name: _of_viewer(name, field) for name, field in ACTOR.items()}
FIELDS: Table = {
    "Query": {
        "viewer": _viewer, "user": _user, "repository": _repository, "node": _node, "rateLimit": _rate_limit,
    },
    "User": PERSON, "Bot": ACTOR, "Organization": ACTOR, "Mannequin": ACTOR,
    "*": {"id": _id, "nodes": _nodes, "edges": _edges, "pageInfo": _page_info, "totalCount": _total},
}  # fmt: skip
