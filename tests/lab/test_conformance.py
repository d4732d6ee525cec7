"""The comparison with GitHub's descriptions finds what is wrong; `make conformance` runs it on real recordings."""

from __future__ import annotations

from typing import Any

import pytest

from lab.conformance import known, sdl
from lab.conformance.openapi import Description
from lab.conformance.recording import Exchange

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/repos/{owner}/{repo}/labels": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"required": ["name"]}}}},
                "responses": {
                    "201": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/label"}}}
                    }
                },
            }
        },
        "/repos/{owner}/{repo}/contents/{path}": {"get": {"responses": {"200": {}}}},
    },
    "components": {
        "schemas": {
            "label": {
                "type": "object",
                "required": ["id", "description"],
                "properties": {
                    "id": {"type": "integer"},
                    "description": {"type": "string", "nullable": True},
                },
            }
        }
    },
}


def exchange(status: int, request: Any, response: Any, path: str = "/repos/acme/shop/labels") -> Exchange:
    return Exchange("POST" if path.endswith("labels") else "GET", path, status, request, response)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (exchange(201, {"name": "a"}, {"id": 1, "description": None}), ""),
        (exchange(201, {"name": "a"}, {"id": 1}), "'description' is a required property"),
        (exchange(201, {"name": "a"}, {"id": "1", "description": None}), "id: '1' is not of type 'integer'"),
        (exchange(201, {}, {"id": 1, "description": None}), "takes: the body: 'name' is a required property"),
        (exchange(200, {"name": "a"}, {}), "200 is not described, only 201"),
        (exchange(422, {"name": 1}, {"message": "Validation Failed"}), ""),
        (exchange(200, None, {}, "/repos/acme/shop/contents/a/b/c.yaml"), ""),
        (exchange(200, None, {}, "/repos/acme/shop/content"), "no such route"),
        (exchange(404, None, {}, "/repos/acme/shop/content"), ""),
    ],
)
def test_a_violation_of_a_description_is_named(made: Exchange, says: str) -> None:
    problems = list(Description(DOCUMENT).problems(made))
    assert len(problems) == bool(says)
    assert says in "".join(problems)


def test_for_an_old_server_only_the_existence_of_a_call_is_checked() -> None:
    wrong = exchange(201, {"name": "a"}, {"id": "1"})
    assert not list(Description(DOCUMENT).problems(wrong, answers=False))


@pytest.mark.parametrize(
    ("ours", "says"),
    [
        ("type Query { a(b: Int!): [String!]! }", ""),
        ("type Query { a(b: Int!): [String!] }", "Query.a is [String!], GitHub's is [String!]!"),
        ("type Query { a: [String!]! }", "Query.a(b): GitHub asks for it"),
        ("type Query { a(b: Int!, c: Int): [String!]! }", "Query.a(c): GitHub has none"),
        ("type Query { a(b: Int!): [String!]! d: Int }", "Query.d: GitHub has none"),
        ("type Query { a(b: Int!): [String!]! } enum Kind { ONE TWO }", "Kind.TWO: GitHub has no such value"),
        ("type Query { a(b: Int!): [String!]! } input Given { x: Int }", "Given.y: GitHub asks for it"),
        ("type Query { a(b: Int!): [String!]! } type Other { x: Int }", "Other: GitHub has no such type"),
    ],
)
def test_a_schema_may_leave_parts_out_but_not_change_them(ours: str, says: str) -> None:
    theirs = "type Query { a(b: Int!): [String!]! e: Int } enum Kind { ONE } input Given { x: Int y: Int! }"
    problems = list(sdl.problems(ours, theirs))
    assert len(problems) == bool(says)
    assert says in "".join(problems)


def test_every_accepted_difference_has_a_reason() -> None:
    assert all(len(why) > 20 for _, why in known.REASONS)
    assert not known.reason("api.github.com: POST /repos/{owner}/{repo}/labels 201: id: it does not fit type")
