"""Who may command: permissions, teams and logins; a hold belongs to whoever set it; on call in three comments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.forge.values import App
from tests.actions.test_pr_command import issue, say
from tests.promotion.shop_world import RIGHTS, Shop, shop
from tests.promotion.steps import promote_pr

TEAM = "acme/shop-oncall"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """octo-call has write permission and is on call, octo-dev has write permission and is not."""
    with shop(tmp_path, host) as made:
        made.forge.collaborator("acme/shop", "octo-call", "write")
        made.forge.team(TEAM, ["octo-call"])
        made.forge.collaborator("acme/shop", "octo-new", "write")
        made.forge.team(TEAM, ["octo-new"], state="pending")
        yield made


def policy(world: Shop, commands: str) -> None:
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": f"{text}\ncommands: {commands}\n"})


def app(world: Shop, *more: str) -> dict[str, str]:
    """Inputs for an App of its own, with the usual rights and more."""
    made: App = world.forge.app("stagegate", {**RIGHTS, "metadata": "read", **dict.fromkeys(more, "read")})
    return {"app_id": str(made.id), "app_key": made.private_key}


def run(world: Shop, actor: str, **inputs: str) -> tuple[int, str]:
    """One step of promote-pr; its exit code and reason."""
    return promote_pr(world.environ(**inputs) | {"GITHUB_ACTOR": actor}), world.outputs()["reason"]


HOLD = {"mode": "hold", "environment": "prod", "reason": "the database moves"}
UNHOLD = {"mode": "unhold", "environment": "prod"}


def test_a_list_admits_only_its_teams_logins_and_permissions(world: Shop) -> None:
    policy(world, f"{{hold: [{TEAM}, Octo-Guest, admin]}}")
    inputs = app(world, "members")
    for login, reason in (
        ("octo-call", "marked"),
        ("octo-guest", "marked"),
        ("octo-lead", "marked"),
        ("octo-dev", "not-authorised"),
        ("octo-new", "not-authorised"),
    ):
        assert run(world, login, **HOLD, **inputs)[1] == reason, login
    assert "requires acme/shop-oncall, Octo-Guest or admin" in world.report()["message"]["why"]


def test_a_comment_needs_the_permission_of_the_same_list(world: Shop) -> None:
    policy(world, f"{{rollback: [{TEAM}]}}")
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    inputs = app(world, "members")
    assert say(world, "octo-lead", "/rollback prod", 0, **inputs)[:2] == (1, "not-authorised")
    assert say(world, "octo-call", "/rollback prod", 0, **inputs)[:2] == (0, "proposed")


def test_a_team_whose_members_cannot_be_read_admits_no_person(world: Shop) -> None:
    policy(world, f"{{hold: [{TEAM}, octo-guest]}}")
    assert run(world, "octo-guest", **HOLD) == (0, "marked")  # a login in the list needs no request
    for inputs in ({}, app(world)):
        assert run(world, "octo-call", **HOLD, **inputs) == (2, "bad-settings")
        assert "`members: read`" in world.report()["message"]["next"]
        assert TEAM in world.report()["message"]["what"]


def test_the_owner_of_a_hold_may_lift_it_but_not_others_holds(world: Shop) -> None:
    assert run(world, "octo-dev", **HOLD)[1] == "marked"
    assert run(world, "octo-call", **UNHOLD) == (1, "not-authorised")
    assert run(world, "octo-dev", **UNHOLD)[1] == "unmarked"
    assert run(world, "octo-dev", **UNHOLD) == (1, "not-authorised")  # there is none to lift any more


def test_a_hold_over_another_persons_hold_neither_shortens_nor_lifts_it(world: Shop) -> None:
    run(world, "octo-lead", **HOLD)
    assert run(world, "octo-dev", **HOLD, until="1m")[1] == "marked"
    assert run(world, "octo-dev", **{**HOLD, "reason": "another reason"}, until="1m")[1] == "marked"
    world.forge.advance(3600)
    assert run(world, "octo-dev", **UNHOLD) == (1, "not-authorised")
    assert run(world, "octo-lead", environment="prod", version="1.1.0")[1] != "proposed"
    mark = world.repo.read("stagegate/hold/shop/prod", "mark.json").decode()
    assert "before it was held by octo-lead: the database moves" in mark
    assert run(world, "octo-lead", **UNHOLD)[1] == "unmarked"


def test_a_rollback_over_another_persons_hold_does_not_change_its_owner(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    run(world, "octo-lead", **HOLD)
    assert run(world, "octo-dev", mode="rollback", environment="prod")[1] == "proposed"
    assert run(world, "octo-dev", **UNHOLD) == (1, "not-authorised")


def test_a_person_who_may_no_longer_hold_may_not_lift_either(world: Shop) -> None:
    run(world, "octo-dev", **HOLD)
    world.forge.collaborator("acme/shop", "octo-dev", "read")
    assert run(world, "octo-dev", **UNHOLD) == (1, "not-authorised")


def test_a_person_on_call_rolls_back_and_forward_in_three_comments(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("staging", "1.1.0")
    world.seed_pin("prod", "1.1.0")
    number = issue(world)
    assert say(world, "octo-call", "/rollback prod", number)[:2] == (0, "proposed")
    world.merge(world.hub().pulls()[0].number, "octo-call")
    world.forge.advance(60)
    world.seed_pin("staging", "1.2.0")  # the fix
    world.passed("1.2.0")
    assert say(world, "octo-call", "/promote prod 1.2.0", number)[:2] == (1, "held-back")
    assert say(world, "octo-call", "/unhold prod", number)[:2] == (0, "unmarked")
    (pull,) = world.hub().pulls()
    assert pull.title == "Promote shop to prod: 1.0.0 → 1.2.0"
    assert world.hub().statuses(pull.head_sha)[0].state == "success"
