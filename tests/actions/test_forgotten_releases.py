"""A release that met a hold, a ban, a freeze or an outage is proposed by the next evaluation, and shown as stuck."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.shop_world import VERSIONS, Shop, shop
from tests.promotion.steps import promote_pr


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """1.1.0 passed staging while nobody called promote-pr for prod."""
    with shop(tmp_path, host) as made:
        made.seed_pin("staging", "1.1.0")
        made.passed("1.1.0")
        yield made


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    """One step of promote-pr; its exit code and outputs."""
    return promote_pr(world.environ(**inputs)), world.outputs()


def open_titles(world: Shop) -> list[str]:
    return [pull.title for pull in world.hub().pulls()]


@pytest.mark.parametrize(
    ("stop", "go"),
    [
        (
            {"mode": "hold", "environment": "prod", "reason": "the database moves"},
            {"mode": "unhold", "environment": "prod"},
        ),
        (
            {"mode": "hold", "environment": "all/prod", "reason": "the cluster moves"},
            {"mode": "unhold", "environment": "all/prod"},
        ),
        (
            {"mode": "ban", "version": "1.1.0", "reason": "loses orders"},
            {"mode": "unban", "version": "1.1.0"},
        ),
    ],
)
def test_a_release_stopped_by_a_mark_is_proposed_when_the_mark_is_lifted(
    world: Shop, stop: dict[str, str], go: dict[str, str]
) -> None:
    assert run(world, **stop)[0] == 0
    run(world, environment="prod")
    assert open_titles(world) == []
    code, outputs = run(world, **go)
    assert (code, outputs["reason"], outputs["changed"]) == (0, "unmarked", "true")
    assert open_titles(world) == ["Promote shop to prod: 1.0.0 → 1.1.0"]
    assert outputs["pr-number"] == "1"


def test_a_release_missed_in_an_outage_is_proposed_once_by_the_next_evaluation(world: Shop) -> None:
    world.forge.fail("POST", "/pulls", None, 500)
    assert run(world, environment="prod")[0] == 3
    assert open_titles(world) == []
    world.forge.heal()
    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"]) == (0, "proposed")
    assert run(world, mode="evaluate")[1]["reason"] == "already-proposed"
    assert len(open_titles(world)) == 1


def test_a_proposal_that_no_longer_merges_is_made_again(world: Shop) -> None:
    """The base changed the line that it changes, as a merge for another environment in the same file does."""
    assert run(world, environment="prod")[1]["reason"] == "proposed"
    (pull,) = world.hub().pulls()
    pins = world.pins("prod")
    (line,) = [one for one in pins.splitlines() if "targetRevision:" in one and "1.0.0" in one]
    world.repo.seed({"deploy/prod.yaml": pins.replace(line, f"{line} # ours")})
    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"], outputs["pr-number"]) == (0, "updated", str(pull.number))
    assert run(world, mode="evaluate")[1]["reason"] == "already-proposed"
    world.merge(pull.number)
    assert f"{line.replace('1.0.0', '1.1.0')} # ours" in world.pins("prod")


def test_an_outage_of_the_registry_is_reported_and_stops_no_evaluation(world: Shop) -> None:
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": text.replace(world.host, "127.0.0.1:9")})
    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"], open_titles(world)) == (0, "no-difference", [])
    assert "prod does not get the next release yet" in world.report()["message"]["why"]


def test_a_direct_environment_gets_the_release_that_it_missed(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, versions=VERSIONS) as world:
        run(world, mode="hold", environment="staging", reason="the disk is full")
        assert run(world, environment="staging", version="1.3.0-rc.1")[1]["reason"] == "held-back"
        assert run(world, mode="unhold", environment="staging")[1]["reason"] == "unmarked"
        assert '"1.3.0-rc.1"' in world.pins("staging")


def test_a_release_that_was_rolled_back_returns_only_by_name(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.forge.advance(60)
    world.seed_pin("prod", "1.1.0")
    world.passed("1.1.0", "prod")
    world.forge.advance(60)
    _, outputs = run(world, mode="rollback", environment="prod", reason="orders are lost")
    world.merge(int(outputs["pr-number"]))
    run(world, mode="unhold", environment="prod")
    assert run(world, mode="evaluate")[1]["reason"] == "no-difference"
    assert open_titles(world) == []
    assert run(world, environment="prod", version="1.1.0")[1]["reason"] == "proposed"


def test_a_banned_proposal_is_replaced_by_the_release_after_it(world: Shop) -> None:
    run(world, environment="prod")
    world.forge.advance(60)
    world.seed_pin("staging", "1.2.0")
    world.passed("1.2.0")
    run(world, mode="ban", version="1.1.0", reason="loses orders")
    assert open_titles(world) == ["Promote shop to prod: 1.0.0 → 1.2.0"]


@pytest.mark.parametrize("mode", ["evaluate", "promote"])
def test_a_change_to_direct_closes_the_open_proposal_with_a_comment(world: Shop, mode: str) -> None:
    run(world, environment="prod")
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": text.replace("{reviewers", "{strategy: direct, reviewers")})
    assert run(world, mode=mode, environment="prod")[0] == 0
    assert open_titles(world) == []
    (said,) = [one.body for one in world.hub().comments(1)]
    assert "prod now gets releases by direct commits" in said
    assert '"1.1.0"' in world.pins("prod")
