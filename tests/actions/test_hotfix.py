"""docs/hotfix.md: an older line is tested in staging although staging is ahead, and then goes to production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.shop_world import VERSIONS, Shop, shop
from tests.promotion.steps import promote_pr


@pytest.fixture
def made(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host, versions=VERSIONS[:3]) as world:
        yield world


def run(world: Shop, **inputs: str) -> dict[str, str]:
    promote_pr(world.environ(**inputs))
    return world.outputs()


def test_an_older_line_is_tested_where_a_newer_one_runs(made: Shop) -> None:
    made.seed_pin("staging", "1.2.0")
    made.passed("1.2.0")
    hotfix = {"environment": "staging", "version": "1.1.0"}
    assert run(made, **hotfix)["reason"] == "older-version"
    run(made, **hotfix, mode="override", rules="direction", reason="a fix for production")
    assert run(made, **hotfix)["reason"] == "committed"
    made.passed("1.1.0")
    assert run(made, environment="prod", version="1.1.0")["reason"] == "proposed"


def test_an_untested_fix_needs_an_override_of_the_rules_that_refuse_it(made: Shop) -> None:
    hotfix = {"environment": "prod", "version": "1.1.0"}
    assert run(made, **hotfix)["reason"] == "no-evidence"
    run(made, **hotfix, mode="override", rules="evidence,order", reason="prod is down")
    assert run(made, **hotfix)["reason"] == "proposed"
