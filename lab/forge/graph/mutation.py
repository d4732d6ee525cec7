"""What every mutation shares: its payload, finding the node it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from lab.forge.graph.arguments import Arguments, Field
from lab.forge.graph.nodes import Asker, find_node
from lab.forge.refusal import not_found

Payload = dict[str, object]
Found = TypeVar("Found")


def named(asker: Asker, node_id: str, kind: type[Found]) -> Found:
    """The node of this id and kind; NOT_FOUND otherwise."""
    existing = find_node(asker.world, node_id)
    if not isinstance(existing, kind):
        raise not_found(f"Could not resolve to a node with the global id of '{node_id}'")
    return existing


def mutation(function: Callable[[Asker, Arguments], Payload]) -> Field:
    """A field of the Mutation type: unpack `input`, give back clientMutationId."""

    def field(asker: Asker, _source: object, arguments: Arguments) -> Mapping[str, object]:
        sent = arguments.inner("input")
        return function(asker, sent) | {"clientMutationId": sent.text("clientMutationId") or None}

    return field
