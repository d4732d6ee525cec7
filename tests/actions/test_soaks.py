"""Releases that come faster than a soak takes still reach production, one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.shop_world import VERSIONS, Shop, shop
from tests.promotion.steps import promote_pr

PROD = "promotion: {reviewers: [octo-lead], labels: [stagegate]}"
SOAK = "soak: 1h\n    promotion: {merge: stagegate, approvals: 1"


@pytest.fixture
def made(tmp_path: Path, host: str, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop whose prod soaks for an hour, with settings of its promotion added."""
    changes = {PROD: f"{SOAK}{request.param}}}"}
    with shop(tmp_path, host, versions=VERSIONS[:3], changes=changes) as world:
        yield world


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    """One step of promote-pr; its exit code and outputs."""
    return promote_pr(world.environ(**inputs)), world.outputs()


def arrives(world: Shop, version: str) -> tuple[int, dict[str, str]]:
    """A release passes staging, and promote-pr is called for prod."""
    world.seed_pin("staging", version)
    world.passed(version)
    return run(world, environment="prod")


def state(world: Shop, sha: str) -> str:
    return world.hub().statuses(sha)[0].state


@pytest.mark.parametrize("made", [""], indirect=True)
def test_a_soaking_proposal_is_merged_and_the_newer_release_follows(made: Shop) -> None:
    _, first = arrives(made, "1.1.0")
    assert first["reason"] == "proposed"
    made.forge.advance(600)
    code, second = arrives(made, "1.2.0")
    assert (code, second["reason"], second["pr-number"]) == (0, "queued", first["pr-number"])
    assert "1.1.0 is already proposed" in made.report()["message"]["why"]
    made.review(int(first["pr-number"]), "octo-dev", "APPROVE")
    assert run(made, mode="evaluate")[1]["reason"] == "soaking"
    made.forge.advance(3600)
    assert run(made, mode="evaluate")[1]["reason"] == "merged"
    assert '"1.1.0"' in made.pins("prod")
    code, third = run(made, environment="prod")
    assert (code, third["reason"], third["version"]) == (0, "proposed", "1.2.0")


@pytest.mark.parametrize("made", [""], indirect=True)
def test_a_soaked_proposal_is_replaced_only_by_a_soaked_release(made: Shop) -> None:
    _, first = arrives(made, "1.1.0")
    made.forge.advance(3000)
    assert arrives(made, "1.2.0")[1]["reason"] == "queued"
    made.forge.advance(1800)  # 1.1.0 has soaked, 1.2.0 has not
    assert run(made, environment="prod")[1]["reason"] == "queued"
    assert "has completed its soak, but 1.2.0 has not" in made.report()["message"]["why"]
    made.forge.advance(1801)
    assert run(made, environment="prod")[1]["reason"] == "updated"
    assert made.hub().pulls(head="stagegate/promote/shop/prod")[0].number == int(first["pr-number"])


@pytest.mark.parametrize("made", [""], indirect=True)
@pytest.mark.parametrize("end", ["ban", "failed"])
def test_a_banned_or_failed_proposal_is_replaced(made: Shop, end: str) -> None:
    arrives(made, "1.1.0")
    made.forge.advance(60)
    if end == "ban":
        run(made, mode="ban", version="1.1.0", reason="loses orders")
    else:
        made.passed("1.1.0", outcome="failed", reason="checks-failed")
    made.forge.advance(60)
    assert arrives(made, "1.2.0")[1]["reason"] == "updated"


@pytest.mark.parametrize("made", [""], indirect=True)
def test_a_rollback_in_staging_ends_the_soak(made: Shop) -> None:
    _, first = arrives(made, "1.1.0")
    made.forge.advance(60)
    made.seed_pin("staging", "1.0.0")
    made.passed("1.0.0")
    made.review(int(first["pr-number"]), "octo-dev", "APPROVE")
    made.forge.advance(7200)
    run(made, mode="evaluate")
    assert state(made, first["commit"]) != "success"


@pytest.mark.parametrize("made", [", replace: always"], indirect=True)
def test_with_replace_always_the_next_release_ends_the_soak(made: Shop) -> None:
    _, first = arrives(made, "1.1.0")
    made.forge.advance(60)
    assert arrives(made, "1.2.0")[1]["reason"] == "updated"
    assert first["pr-number"]


@pytest.mark.parametrize("made", [""], indirect=True)
def test_a_release_that_was_not_proposed_in_time_has_not_soaked(made: Shop) -> None:
    made.passed("1.1.0")
    made.forge.advance(60)
    made.seed_pin("staging", "1.2.0")
    made.passed("1.2.0")
    made.forge.advance(7200)
    _, outputs = run(made, environment="prod", version="1.1.0")
    assert state(made, outputs["commit"]) == "pending"
    soaked = r"good in staging for only \d+s before 1\.2\.0 replaced it"
    assert re.search(soaked, made.hub().statuses(outputs["commit"])[0].description)
