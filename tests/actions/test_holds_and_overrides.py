"""How marks affect each other and when they end: an override counts once, and a hold names the one it replaces."""

from __future__ import annotations

import json
from typing import Any

from tests.promotion.shop_world import Shop
from tests.promotion.steps import promote_pr


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    """One step of promote-pr; its exit code and outputs."""
    return promote_pr(world.environ(**inputs)), world.outputs()


def override(world: Shop, **more: str) -> tuple[int, dict[str, str]]:
    mark = {"environment": "prod", "version": "1.1.0", "rules": "evidence", "reason": "hotfix"}
    return run(world, mode="override", **mark, **more)


def status(world: Shop, sha: str) -> tuple[str, str]:
    newest = world.hub().statuses(sha)[0]
    return newest.state, newest.description


def held(world: Shop) -> dict[str, Any]:
    return dict(json.loads(world.repo.read("stagegate/hold/shop/prod", "mark.json")))


def test_an_override_is_used_up_when_the_version_has_passed_there(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    override(world, until="30d")
    _, outputs = run(world, environment="prod", version="1.1.0")
    world.merge(int(outputs["pr-number"]))
    world.forge.advance(60)
    world.passed("1.1.0", "prod")
    assert run(world, mode="evaluate")[1]["reason"] == "no-difference"
    assert world.report()["findings"] == []
    world.seed_pin("prod", "1.0.0")
    assert run(world, environment="prod", version="1.1.0")[1]["reason"] == "no-evidence"

    world.forge.advance(60)
    override(world, until="30d")
    assert run(world, environment="prod", version="1.1.0")[1]["reason"] == "proposed"


def test_a_banned_version_that_an_override_allowed_is_not_reported_afterwards(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    run(world, mode="ban", version="1.1.0", reason="loses orders")
    run(world, mode="override", environment="prod", version="1.1.0", rules="ban", reason="better than down")
    _, outputs = run(world, environment="prod", version="1.1.0")
    world.merge(int(outputs["pr-number"]))
    world.forge.advance(60)
    world.passed("1.1.0", "prod")
    world.forge.advance(86400)
    run(world, mode="evaluate", environment="prod")
    assert world.report()["findings"] == []
    world.passed("1.0.0", "prod")
    run(world, mode="evaluate", environment="prod")
    assert [finding["rule"] for finding in world.report()["findings"]] == ["banned-pin"]


def test_a_proposal_fails_when_its_override_expires(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    override(world)
    end = json.loads(world.repo.read("stagegate/override/shop/prod/1.1.0", "mark.json"))["until"]
    assert end
    assert end in world.report()["message"]["what"]
    _, outputs = run(world, environment="prod", version="1.1.0")
    state, why = status(world, outputs["commit"])
    assert (state, outputs["next-at"]) == ("success", end)
    assert end in why
    assert run(world, mode="evaluate")[1]["next-at"] == end
    world.forge.advance(86401)
    run(world, mode="evaluate")
    assert status(world, outputs["commit"])[0] == "failure"


def test_a_hold_set_during_a_rollback_is_shown_and_does_not_stop_the_rollback(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    _, outputs = run(world, mode="rollback", environment="prod", reason="orders are lost")
    code, marked = run(world, mode="hold", environment="prod", reason="look at it first", until="2h")
    assert (code, marked["reason"]) == (0, "marked")
    assert "rollback to 1.0.0" in world.report()["message"]["what"]
    assert status(world, outputs["commit"])[0] == "success"
    mark = held(world)
    assert (mark["kind"], mark["to"], mark["until"]) == ("rollback", "1.0.0", "")
    assert "orders are lost" in mark["reason"]
    assert "also held by octo-lead: look at it first (until" in mark["reason"]
    world.merge(int(outputs["pr-number"]))
    run(world, mode="unhold", environment="prod")
    said = world.report()["message"]["what"]
    assert "look at it first" in said
    assert "rollback to 1.0.0" in said


def test_a_rollback_over_a_hold_names_the_replaced_hold_and_so_does_unhold(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    run(world, mode="hold", environment="prod", reason="the database moves", until="2h")
    until = held(world)["until"]
    run(world, mode="rollback", environment="prod", reason="orders are lost")
    assert f"held by octo-lead: the database moves (until {until})" in held(world)["reason"]
    run(world, mode="unhold", environment="prod")
    assert "the database moves" in world.report()["message"]["what"]


def test_unhold_names_the_holds_that_stay(world: Shop) -> None:
    run(world, mode="hold", environment="all/prod", reason="the cluster moves")
    run(world, mode="hold", environment="staging", reason="another place")
    for _ in range(2):
        run(world, mode="unhold", environment="prod")
        said = world.report()["message"]["what"]
        assert "all/prod by octo-lead: the cluster moves" in said
        assert "another place" not in said
        run(world, mode="hold", environment="prod", reason="this too")
    run(world, mode="unhold", environment="all/prod")
    said = world.report()["message"]["what"]
    assert "held by octo-lead: the cluster moves" in said
    assert "these holds stay in force: shop/prod by octo-lead: this too" in said
