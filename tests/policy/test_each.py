"""Strategy `each`: releases are promoted one after another, the oldest first, and none is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """1.1.0 and then 1.2.0 passed in staging; production runs 1.0.0."""
    changes = {"labels: [stagegate]": "labels: [stagegate], strategy: each"}
    with shop(tmp_path, host, versions=VERSIONS, changes=changes) as made:
        for version in VERSIONS[1:]:
            made.seed_pin("staging", version)
            made.passed(version)
        yield made


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    return promote_pr(world.environ(**inputs)), world.outputs()


def test_a_later_release_waits_until_the_next_evaluation_proposes_it(world: Shop) -> None:
    code, outputs = run(world, environment="prod", version="1.2.0")
    assert (code, outputs["outcome"], outputs["reason"]) == (0, "waiting", "queued")
    assert "1.1.0" in world.report()["message"]["why"]
    assert world.hub().pulls() == []

    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"], outputs["version"]) == (0, "proposed", "1.1.0")
    first = int(outputs["pr-number"])
    code, outputs = run(world, environment="prod", version="1.2.0")
    assert (code, outputs["reason"], outputs["pr-number"]) == (0, "queued", str(first))
    assert f"#{first}" in world.report()["message"]["next"]
    code, outputs = run(world, mode="evaluate")
    assert outputs["reason"] == "already-proposed"

    world.merge(first)
    code, outputs = run(world, mode="evaluate", dry_run="true")
    assert (code, outputs["version"], world.hub().pulls()) == (0, "1.2.0", [])
    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"], outputs["version"]) == (0, "proposed", "1.2.0")
    assert [f"#{pull.number}" for pull in world.hub().pulls()] == [f"#{outputs['pr-number']}"]


def test_a_banned_release_is_skipped(world: Shop) -> None:
    run(world, mode="ban", version="1.1.0", reason="loses orders")
    code, outputs = run(world, environment="prod", version="1.2.0")
    assert (code, outputs["reason"]) == (0, "proposed")


def test_the_oldest_release_is_proposed_first(world: Shop) -> None:
    for _ in range(33):
        world.passed("1.2.0")
    code, outputs = run(world, environment="prod")
    assert (code, outputs["reason"], outputs["version"]) == (0, "proposed", "1.1.0")


def test_an_evaluation_does_not_propose_a_refused_release(world: Shop) -> None:
    run(world, mode="hold", environment="prod", reason="database moves")
    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"], world.hub().pulls()) == (0, "no-difference", [])
