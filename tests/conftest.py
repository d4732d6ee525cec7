"""For every test: no secret of another test is known, and what takes longest begins first."""

from __future__ import annotations

import pytest

from stagegate.runner import log


@pytest.fixture(autouse=True)
def secrets_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_secrets", set())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole workflows first: at the end, one of them would keep a single worker busy for a minute."""
    items.sort(key=lambda item: item.get_closest_marker("road") is None)
