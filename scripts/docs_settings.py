"""The tables and the JSON Schema of `stagegate.yaml`, from the types and the text below each field."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import msgspec

from stagegate import settings


def settings_schema() -> dict[str, Any]:
    """The schema of `stagegate.yaml`, with the text below each field as its description."""
    document = settings.schema()
    for name, section in document["$defs"].items():
        told = texts(getattr(settings, name))
        if silent := section["properties"].keys() - told.keys():
            raise SystemExit(f"Say below the field what it does, in {name}: {', '.join(sorted(silent))}.")
        for key, text in told.items():
            section["properties"][key]["description"] = text
    return document


def texts(section: type[msgspec.Struct]) -> dict[str, str]:
    """What stands below the fields of a section, by key; only the source has it."""
    keys = {field.name: field.encode_name for field in msgspec.structs.fields(section)}
    (definition,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  for the type checker
    found = {}
    for field, below in pairwise(definition.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[keys[name]] = " ".join(text.split())
    return found


def sections(document: Mapping[str, Any], name: str = "Settings", path: str = "") -> dict[str, str]:
    """Every section from one on, with its title: the keys that lead to it, those of environments left out."""
    found = {name: path or "settings"}
    before = f"{path}." if path not in ("", "environments") else ""
    for key, field in document["$defs"][name]["properties"].items():
        for inner in re.findall(r"#/\$defs/(\w+)", json.dumps(field)):
            found |= sections(document, inner, before + key)
    return found


def keys(section: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """The table of a section's keys."""
    rows = ["| key | value | default | what it does |", "|---|---|---|---|"]
    for key, field in section["properties"].items():
        default = "**required**" if key in section.get("required", ()) else code(_written(field["default"]))
        rows.append(f"| `{key}` | {_kind(field, titles)} | {default} | {field['description']} |")
    return "\n".join(rows) + "\n"


def _kind(field: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """What may be written there, in words; a section is a link to its table."""
    if "$ref" in field:
        title = titles[field["$ref"].rpartition("/")[2]]
        return f"[{title}](#{title.replace('.', '')})"
    if "anyOf" in field:
        return " or ".join(_kind(one, titles) for one in field["anyOf"] if one.get("type") != "null")
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"] if word is not None)
    if field["type"] == "array":
        return f"list of {_kind(field['items'], titles)}"
    words = {
        "string": "text",
        "integer": "number",
        "boolean": "`true`, `false`",
        "object": "text for each name",
    }
    return str(field.get("title") or field.get("format") or words[field["type"]])


def _written(default: object) -> str:
    """A default as it would be written; nothing for what is empty, or a section."""
    if isinstance(default, list | tuple):
        return f"[{', '.join(default)}]" if default else ""
    return "" if default is None or isinstance(default, dict) else json.dumps(default).strip('"')


def code(value: str) -> str:
    """A value as code; nothing for an empty one."""
    return f"`{value}`" if value else ""
