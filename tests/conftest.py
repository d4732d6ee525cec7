"""For every test: no secret of another test is known, and what takes longest begins first."""

from __future__ import annotations

import pytest

from stagegate.runner import log

LONGEST = (
    "tests/road/", "tests/actions/", "tests/gate/", "tests/promotion/", "tests/security/", "tests/lab/", "tests/launcher/"
)  # fmt: skip


@pytest.fixture(autouse=True)
def secrets_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_secrets", set())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: begun last, one of them would keep a single worker busy at the end."""
    items.sort(
        key=lambda item: next((n for n, room in enumerate(LONGEST) if room in item.nodeid), len(LONGEST))
    )
