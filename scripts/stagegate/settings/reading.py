"""Reads `stagegate.yaml` from its bytes.

Reading is fast and strict; only when something is wrong are jsonschema and the YAML positions asked, so that
every mistake is listed at once with its line and the nearest valid name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate import declared
from stagegate.settings import contradictions
from stagegate.settings.app import Settings


def parse(content: bytes, file: str) -> Settings:
    """Settings from the file's bytes. Stop(bad-settings) lists every mistake with its line."""
    settings = declared.read(content, file, Settings, schema)
    contradicting = (
        [] if settings.extends else list(contradictions.find(settings))
    )  # its other half is not here
    if contradicting:
        root = declared.compose(content)
        raise declared.bad(file, [(declared.line(root, path), text) for path, text in contradicting])
    return settings


def schema() -> dict[str, Any]:
    """The JSON Schema of `stagegate.yaml`, as published in `stagegate.schema.json`."""
    document = msgspec.json.schema(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stagegate.yaml",
        **document,
    }
