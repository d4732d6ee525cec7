"""Fixtures of the lab's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.forge import Forge
from tests.lab.forge_kit import Kit, make_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    """A running forge with `acme/shop`; every test that uses it must stay on known routes."""
    with Forge(tmp_path / "forge") as forge:
        yield make_kit(forge, tmp_path)
        assert not forge.unknown_routes, forge.unknown_routes
