"""Fields of a JSON document that may be missing or of another kind: then they are empty. Pure."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def mapping(document: Json, key: str) -> Json:
    """The mapping under a key, or an empty one."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def text(document: Json, key: str) -> str:
    """The text under a key, or an empty one."""
    value = document.get(key)
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """The texts of a list; anything else is no list."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def rows(value: object) -> list[Json]:
    """The mappings of a list; anything else is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
