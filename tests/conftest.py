"""For every test: no secrets of other tests, no pauses, and a shop on request; the longest files run first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import scratch
from lab.registry import Registry
from stagegate.runner import log
from tests import recorded_runs, rendered_once
from tests.promotion.shop_world import Shop, shop

LONGEST = (
    "tests/road/", "tests/actions/", "tests/gate/", "tests/promotion/", "tests/proposal/", "tests/security/", "tests/lab/", "tests/launcher/"
)  # fmt: skip


@pytest.fixture(autouse=True)
def secrets_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_secrets", set())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    monkeypatch.setenv("STAGEGATE_RETRY_PACE", "0.01")


@pytest.fixture(autouse=True)
def calls_are_recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with recorded_runs.heard(monkeypatch):
        yield


@pytest.fixture(autouse=True)
def charts_are_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered_once.install(monkeypatch)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The host of a registry that the tests of one file share."""
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry.host


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """A shop whose pins name 1.0.0, with 1.1.0 published; files that need another shop define their own."""
    with shop(tmp_path, host) as made:
        yield made


def pytest_configure() -> None:
    if folder := scratch.in_memory():
        os.environ["TMPDIR"] = folder  # also for the programs that tests start
        tempfile.tempdir = None
    os.environ["GOGC"] = (
        "400"  # helm and the registry end too soon for frequent garbage collection to be useful
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, so that no single worker is busy with one of them at the end.

    Tests with generated input get the mark `fuzz`, so that `make test-fast` can leave them out.
    """
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("fuzz")
    items.sort(
        key=lambda item: next((n for n, room in enumerate(LONGEST) if room in item.nodeid), len(LONGEST))
    )
