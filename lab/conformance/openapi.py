"""One OpenAPI description, and the violations of an exchange against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from lab.conformance.recording import Exchange

_NAME = "urn:description"


class Description:
    """The routes of a description, with validators for requests and responses."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = _nullable(document)
        resource = DRAFT202012.create_resource(self._document)
        self._registry: Registry[Any] = Registry().with_resource(_NAME, resource)
        self._routes = [(tuple(path.split("/")), path) for path in document["paths"]]
        self._validators: dict[tuple[str, ...], Validator | None] = {}

    def route(self, method: str, path: str) -> str | None:
        """The template that describes a call; the one with the most literal segments."""
        requested = path.split("/")
        fitting = [
            (sum(not _is_hole(step) for step in steps), template)
            for steps, template in self._routes
            if method.lower() in self._document["paths"][template] and _fits(steps, requested)
        ]
        return max(fitting)[1] if fitting else None

    def problems(self, exchange: Exchange, *, answers: bool = True) -> Iterator[str]:
        """Each violation of the description by an exchange, as a line; without `answers` only by the request."""
        template = self.route(exchange.method, exchange.path)
        if template is None:
            if exchange.status < 400:
                yield f"{exchange.method} {exchange.path}: no such route"
            return
        where = (template, exchange.method.lower())
        name = f"{exchange.method} {template}"
        operation = self._document["paths"][template][exchange.method.lower()]
        if exchange.status < 400 and exchange.request is not None and "requestBody" in operation:
            yield from self._invalid((*where, "requestBody"), exchange.request, f"{name} takes")
        status = str(exchange.status)
        if not answers:
            return
        if status not in operation["responses"]:
            if exchange.status not in (400, 401, 403, 404, 409, 422, 429):  # every route may refuse
                yield f"{name}: {status} is not described, only {', '.join(operation['responses'])}"
        elif exchange.response is not None:
            yield from self._invalid((*where, "responses", status), exchange.response, f"{name} {status}")

    def _invalid(self, place: tuple[str, ...], value: Any, name: str) -> Iterator[str]:
        if place not in self._validators:
            self._validators[place] = self._validator(place)
        validator = self._validators[place]
        for error in validator.iter_errors(value) if validator else ():
            for leaf in _leaves(error):
                path = ".".join("[]" if isinstance(step, int) else str(step) for step in leaf.absolute_path)
                message = leaf.message if len(leaf.message) < 160 else f"it does not fit {leaf.validator}"
                yield f"{name}: {path or 'the body'}: {message}"

    def _validator(self, place: tuple[str, ...]) -> Validator | None:
        at = ["paths", *place]
        content = self._at(at)
        while "$ref" in content:
            at = content["$ref"].removeprefix("#/").split("/")
            content = self._at(at)
        if "application/json" not in content.get("content", {}):
            return None
        pointer = "/".join(
            step.replace("~", "~0").replace("/", "~1")
            for step in (*at, "content", "application/json", "schema")
        )
        return Draft202012Validator({"$ref": f"{_NAME}#/{pointer}"}, registry=self._registry)

    def _at(self, steps: Sequence[str]) -> Any:
        node: Any = self._document
        for step in steps:
            node = node[step]
        return node


def _leaves(error: Any) -> Iterator[Any]:
    """The innermost causes; of alternatives, those of the one that comes nearest."""
    if not error.context:
        if error.validator != "oneOf":  # without a context: GitHub's alternatives overlap
            yield error
        return
    groups: dict[object, list[Any]] = {}
    for leaf in error.context:
        groups.setdefault(leaf.schema_path[0] if leaf.schema_path else None, []).append(leaf)
    meant = [group for group in groups.values() if not any(_is_other_kind(leaf) for leaf in group)]
    for leaf in min(meant or groups.values(), key=len):
        yield from _leaves(leaf)


def _is_other_kind(error: Any) -> bool:
    """Whether an alternative is about another kind of value altogether: a list, or null."""
    return error.validator == "type" and not error.relative_path


def _nullable(value: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes another type, and formats and examples go."""
    if isinstance(value, list):
        return [_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    copy = {
        key: _nullable(item) for key, item in value.items() if key not in ("example", "examples", "nullable")
    }
    if value.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, copy]}
    return copy


def _fits(steps: Sequence[str], template: Sequence[str]) -> bool:
    if steps and steps[-1] in ("{path}", "{ref}", "{basehead}") and len(template) > len(steps):
        template = [*template[: len(steps) - 1], "/".join(template[len(steps) - 1 :])]
    return len(steps) == len(template) and all(
        _is_hole(step) or step == expected for step, expected in zip(steps, template, strict=True)
    )


def _is_hole(step: str) -> bool:
    return step.startswith("{")
