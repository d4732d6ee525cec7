"""Inputs to reach an Argo CD: headers for a proxy in front of it, and the CA of its certificate."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from stagegate.errors import Stop


def headers(lines: Iterable[str]) -> dict[str, str]:
    """`Name: value` lines as headers. Stop(bad-input) for another line."""
    named: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise Stop(
                "bad-input",
                "The input `argocd-headers` has a line that is not a header.",
                "Each line must be `Name: value`.",
                "Correct the secret. The message does not show the line, because the line may "
                "contain a password.",
            )
        named[name.strip()] = value.strip()
    return named


def ca_file(ca: str) -> str:
    """A certificate given as text, as the path of a file."""
    if "-----BEGIN" not in ca:
        return ca.strip()
    folder = os.environ.get("RUNNER_TEMP") or None
    with tempfile.NamedTemporaryFile("w", suffix=".pem", dir=folder, delete=False) as file:
        file.write(ca.strip() + "\n")
    return str(Path(file.name))
