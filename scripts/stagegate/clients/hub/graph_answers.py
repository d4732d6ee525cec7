"""Decodes the responses of GraphQL, and explains their errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from stagegate.clients.hub import refusals
from stagegate.clients.hub.response import HubResponse
from stagegate.errors import Stop
from stagegate.runner import log

T = TypeVar("T")


class GraphError(msgspec.Struct, frozen=True):
    """One of the errors that come with a response 200."""

    message: str = ""
    type: str | None = None
    path: list[str | int] | None = None

    @property
    def is_absent_node(self) -> bool:
        """Whether it reports that one field, not the repository, does not exist."""
        is_node = self.path is not None and len(self.path) == 1 and self.path[0] != "repository"
        return self.type == "NOT_FOUND" and is_node


Refuse = Callable[[Sequence[GraphError]], Stop]


class _Graph(msgspec.Struct, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[GraphError] | None = None


def data(kind: type[T], refuse: Refuse, response: HubResponse) -> T:
    """The response's `data` as `kind`. Any error refuses all."""
    graph = msgspec.json.decode(response.text, type=_Graph)
    if graph.errors:
        raise refuse(graph.errors)
    return msgspec.json.decode(graph.data, type=kind)


def payload(kind: type[T], refuse: Refuse, response: HubResponse) -> T:
    """The payload of the one mutation `result`; null where there is none."""
    results = data(dict[str, msgspec.Raw], refuse, response)
    return msgspec.json.decode(results.get("result", b"null"), type=kind)


def nodes(kind: type[T], refuse: Refuse, response: HubResponse) -> dict[str, T]:
    """Each alias with its node, without those that GitHub cannot find."""
    graph = msgspec.json.decode(response.text, type=_Graph)
    absent = {error.path[0] for error in graph.errors or () if error.is_absent_node and error.path}
    if other_errors := [error for error in graph.errors or () if not error.is_absent_node]:
        raise refuse(other_errors)
    responses = msgspec.json.decode(graph.data, type=dict[str, msgspec.Raw])
    return {
        alias: msgspec.json.decode(node, type=kind)
        for alias, node in responses.items()
        if alias not in absent
    }


def refusal(
    errors: Sequence[GraphError], host: str, token: str, doing: str, permission: str, *, write: bool
) -> Stop:
    """The Stop for the errors of a response, none of which is about the repository itself."""
    first = errors[0]
    kind = first.type or ""
    message = log.redact("; ".join(error.message for error in errors))[:600]
    if any("RESOURCE_LIMIT" in (e.type or "") or "resource limits" in e.message.lower() for e in errors):
        return refusals.too_large(doing, message, write=write)
    if not kind and "something went wrong" in first.message.lower():
        return refusals.server_error(HubResponse(status=200, headers={}, text=message), doing, write=write)
    if "doesn't exist on type" in message or "isn't a defined input type" in message:
        return refusals.old_server(host, doing, message)
    return refusals.refused_by_graphql(kind, message, doing, permission, token)
