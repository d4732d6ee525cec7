"""The GraphQL side: graphql-core on `schema.graphql`, errors in GitHub's shape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)
from graphql.language import FieldNode
from graphql.type import GraphQLInterfaceType, GraphQLUnionType

from lab.forge.exchange import Answer
from lab.forge.graph.nodes import Asker, type_name
from lab.forge.graph.resolve import resolve
from lab.forge.refusal import Refusal
from lab.forge.state import World
from lab.forge.values import Body, Token


@dataclass(frozen=True)
class Operation:
    """The operation of a request."""

    name: str = ""
    mutations: tuple[str, ...] = ()


def announce(raw: bytes) -> Operation:
    """The operation's name and its mutations; empty when the request can't be read."""
    try:
        sent = json.loads(raw)
        document = _parsed(sent["query"])
    except (ValueError, KeyError, TypeError, GraphQLError):
        return Operation()
    operation_name = sent.get("operationName")
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        name = definition.name.value if definition.name else ""
        if operation_name and operation_name != name:
            continue
        fields = [
            selection.name.value
            for selection in definition.selection_set.selections
            if isinstance(selection, FieldNode)
        ]
        return Operation(name, tuple(fields) if definition.operation is OperationType.MUTATION else ())
    return Operation()


@cache
def schema() -> GraphQLSchema:
    """The schema with its abstract types told apart by Python types."""
    built = build_schema((Path(__file__).parent.parent / "schema.graphql").read_text())
    for kind in built.type_map.values():
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = lambda value, _info, _kind: type_name(value)
    return built


@lru_cache(maxsize=256)
def _parsed(query: str) -> DocumentNode:
    return parse(query)


@lru_cache(maxsize=256)  # the same few texts are sent again and again, and this is most of the work
def _mistakes(query: str) -> Sequence[GraphQLError]:
    return validate(schema(), _parsed(query))


def answer(world: World, token: Token, raw: bytes) -> Answer:
    """One POST to /graphql: 200 with `data` and `errors`; 400 for JSON that is none, 401 without a token."""
    if token.kind == "anonymous":
        raise Refusal(401, "This endpoint requires you to be authenticated.")
    try:
        sent = json.loads(raw)
        query, variables = sent["query"], sent.get("variables") or {}
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "Problems parsing JSON") from None
    try:
        mistakes = _mistakes(query)
    except GraphQLError as error:
        mistakes = [error]
    if mistakes:
        return Answer(200, _body(ExecutionResult(None, list(mistakes))))
    result = execute_sync(
        schema(), _parsed(query), context_value=Asker(world, token), variable_values=variables,
        operation_name=sent.get("operationName"), field_resolver=resolve,
    )  # fmt: skip
    return Answer(200, _body(result))


def _body(result: ExecutionResult) -> Body:
    body: Body = {}
    if result.data is not None or not result.errors or any(error.path for error in result.errors):
        body["data"] = result.data
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    return body


def _error(error: GraphQLError) -> Mapping[str, object]:
    cause = error.original_error
    shown: dict[str, object] = {}
    if isinstance(cause, Refusal):
        shown["type"] = cause.kind
        if cause.kind == "FORBIDDEN":
            shown["extensions"] = {"saml_failure": False}
        message = cause.message
        if cause.errors:
            details = [
                str(one.get("message") or one) if isinstance(one, dict) else str(one) for one in cause.errors
            ]
            message = ", ".join(details)
    elif cause is not None:
        raise cause
    else:
        message = error.message
    if error.path:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    return shown | {"message": message}
