"""What the attacks share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attacks that run as programs of their own find the package too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3] / "scripts"))
