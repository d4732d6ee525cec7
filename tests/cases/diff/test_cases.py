"""Every case of the rendered difference: a whole run judges it, or it is shown as on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.registry import Registry
from tests.cases.diff import check

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry")) as made:
        yield made


@pytest.mark.parametrize("name", [case.name for case in check.cases([])])
def test_what_a_reviewer_reads_is_what_the_cluster_gets(
    name: str, registry: Registry, tmp_path: Path
) -> None:
    assert not check.wrong(HERE / name, registry, tmp_path)
