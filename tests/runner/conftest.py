"""Every test of the runner protocol starts without secrets: they are kept for the life of a process."""

from __future__ import annotations

import pytest

from stagegate.runner import log


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_secrets", set())
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
