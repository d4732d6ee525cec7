"""Compares the `gh api` commands of a document with GitHub's description of its API.

`python -m lab.conformance.written_calls` writes `written_calls.json`: the description of the routes that
SECURITY.md uses, so that `make test` needs no network. `make conformance` compares with the whole description.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.conformance import descriptions
from lab.conformance.openapi import Description
from lab.conformance.recording import Exchange

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "SECURITY.md"
FILE = Path(__file__).with_name("written_calls.json")
_BLOCK = re.compile(r"^( *)```\w*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_HEREDOC = re.compile(r"^(?P<command>gh api .*?) <<'JSON'\n(?P<body>.*?)^JSON$", re.MULTILINE | re.DOTALL)
_PLAIN = re.compile(r"^gh api (?:[^\n]*\\\n)*[^\n]*$", re.MULTILINE)


def calls(text: str) -> Iterator[Exchange]:
    """Every `gh api` command in the code blocks of a Markdown text, in its order, as the call that it makes."""
    for indent, block in _BLOCK.findall(text):
        plain = re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)
        bodies = {match["command"]: json.loads(match["body"]) for match in _HEREDOC.finditer(plain)}
        for match in _PLAIN.finditer(plain):
            command = match[0].partition(" <<'JSON'")[0]
            yield _call(shlex.split(command.replace("\\\n", " "))[2:], bodies.get(command))


def _call(words: list[str], body: Any) -> Exchange:
    """One call by the words after `gh api`. ValueError for a flag that is not known here."""
    method, path, fields = "GET", "", {}
    remaining = iter(words)
    for word in remaining:
        if word in ("-X", "--method"):
            method = next(remaining)
        elif word in ("-f", "-F"):
            name, _, value = next(remaining).partition("=")
            fields[name] = json.loads(value) if word == "-F" and value in ("true", "false") else value
        elif word == "--input" or word == "--jq":
            next(remaining)
        elif word.startswith("-"):
            raise ValueError(f"the flag {word} of gh api")
        else:
            path = word
    path = "/" + path.lstrip("/").replace("OWNER/REPO", "acme/shop")
    method = "POST" if fields and method == "GET" else method
    return Exchange(method, path, 200, body or fields or None, None)


def problems(text: str, description: Description) -> Iterator[str]:
    """The violations of the calls in a text against a description."""
    for call in calls(text):
        yield from description.problems(call, answers=False)


def excerpt(document: Mapping[str, Any], description: Description) -> dict[str, Any]:
    """The part of a description that the calls of SECURITY.md need, closed: a field it does not name is wrong."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for call in calls(DOCUMENT.read_text(encoding="utf-8")):
        template, method = description.route(call.method, call.path), call.method.lower()
        if template is None:
            raise ValueError(f"GitHub describes no {call.method} {call.path}")
        operation = document["paths"][template][method]
        body = {"requestBody": operation["requestBody"]} if "requestBody" in operation else {}
        paths.setdefault(template, {})[method] = {**_closed(body), "responses": {}}
        _collect(body, document, schemas)
    return {"paths": paths, "components": {"schemas": schemas}}


def _collect(value: object, document: Mapping[str, Any], schemas: dict[str, Any]) -> None:
    """Add every schema that a value refers to, and those that they refer to."""
    if isinstance(value, list):
        for item in value:
            _collect(item, document, schemas)
    if not isinstance(value, dict):
        return
    name = str(value.get("$ref", "")).rpartition("/")[2]
    if name and name not in schemas:
        schema = document["components"]["schemas"][name]
        schemas[name] = _closed(schema)
        _collect(schema, document, schemas)
    for item in value.values():
        _collect(item, document, schemas)


def _closed(value: Any) -> Any:
    """A schema without words for people, where an object has no fields but those that are described."""
    if isinstance(value, list):
        return [_closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    closed = {
        key: _closed(item)
        for key, item in value.items()
        if not (
            key in ("description", "title", "example", "examples", "default") and not isinstance(item, dict)
        )
    }
    is_object = isinstance(value.get("properties"), dict) and value.get("type") == "object"
    return {**closed, "additionalProperties": False} if is_object and not value.get("allOf") else closed


def main() -> None:
    """Write the excerpt again."""
    name = "api.github.com"
    document = descriptions.rest(name, dict(os.environ))
    source = f"{descriptions.OPENAPI} {descriptions.VERSIONS[name]}, generated/{name}.json"
    content = {"source": source, **excerpt(document, Description(document))}
    FILE.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
