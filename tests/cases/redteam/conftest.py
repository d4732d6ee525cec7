"""What the attacks share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let attacks that run as separate programs import the package."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3] / "scripts"))
