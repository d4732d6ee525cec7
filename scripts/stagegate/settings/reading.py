"""Reads `stagegate.yaml`.

Reading is fast and strict; only when something is wrong are jsonschema and the YAML positions asked, so that
every mistake is listed at once with its line and the nearest valid name.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

import msgspec

from stagegate import declared
from stagegate.errors import Stop
from stagegate.settings import contradictions
from stagegate.settings.app import Settings


def load(path: Path, file: str) -> Settings:
    """Settings from a file of a work tree; `file` is its path there. Stop(missing-file), Stop(bad-settings).

    Shared policy of the same work tree is below them. That of another repository is not, because policy is only
    read from a default branch.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise Stop(
            "missing-file",
            f"There is no {file}.",
            "Every action reads its settings from it.",
            "Check out the repository first, or name the file with the input `config`.",
        ) from error
    except OSError as error:
        raise Stop(
            "missing-file", f"{file} cannot be read.", f"{error.strerror}.", "Make it a file."
        ) from error
    settings = parse(content, file)
    if settings.extends and "//" not in settings.extends:
        from stagegate.settings import shared_policy  # it reads with what is defined here

        root = path.parents[len(PurePath(file).parts) - 1]
        return shared_policy.extended(content, file, shared_policy.beside(root, settings.extends))
    return settings


def parse(content: bytes, file: str) -> Settings:
    """Settings from the file's bytes. Stop(bad-settings) lists every mistake with its line."""
    settings = declared.read(content, file, Settings, schema)
    found = [] if settings.extends else list(contradictions.find(settings))  # its other half is not here
    if found:
        root = declared.compose(content)
        raise declared.bad(file, [(declared.line(root, path), text) for path, text in found])
    return settings


def schema() -> dict[str, Any]:
    """The JSON Schema of `stagegate.yaml`, as published in `stagegate.schema.json`."""
    document = msgspec.json.schema(Settings)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stagegate.yaml",
        **document,
    }
