"""One pins repository with several apps: a run by hand without an app's name is about all of them, with one result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

GLOB = "apps/*/stagegate.yaml"


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """`shop` and `pay`; prod of shop has an open promotion that may merge."""
    with shop(tmp_path, host) as made:
        text = made.repo.read("main", "stagegate.yaml").decode()
        settle(made, "shop", text)
        settle(made, "pay", text.replace("deploy/", "pay/"))
        made.repo.seed({f"pay/{name}.yaml": made.pins(name) for name in ("prod", "staging")})
        made.seed_pin("staging", "1.1.0")
        made.passed("1.1.0")
        yield made


def settle(world: Shop, app: str, text: str) -> None:
    """The settings of an app, on the default branch and in the work tree."""
    path = world.folder / "apps" / app / "stagegate.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("app: shop", f"app: {app}"))
    world.repo.seed({f"apps/{app}/stagegate.yaml": path.read_text()})


def run(world: Shop, *, actor: str = "octo-lead", **inputs: str) -> tuple[int, dict[str, str]]:
    return promote_pr(world.environ(config=GLOB, **inputs) | {"GITHUB_ACTOR": actor}), world.outputs()


def status(world: Shop, sha: str) -> str:
    return next(s.state for s in world.hub().statuses(sha) if s.context == "stagegate/pins")


def test_without_a_name_every_app_is_judged_again(world: Shop) -> None:
    _, first = run(world, app="shop", environment="prod")
    world.passed("1.1.0", outcome="failed", reason="checks-failed")
    for environment in ("", "prod"):
        code, outputs = run(world, mode="evaluate", environment=environment)
        assert (code, outputs["pr-number"]) == (0, first["pr-number"])
        assert "pay: No promotion is open." in world.report()["message"]["what"]
    assert status(world, first["commit"]) == "failure"


@pytest.mark.parametrize("place", ["all/prod", "all/all"])
def test_a_hold_on_all_apps_turns_every_promotion_red(world: Shop, place: str) -> None:
    _, first = run(world, app="shop", environment="prod")
    code, outputs = run(world, mode="hold", environment=place, app="pay", reason="the database moves")
    assert (code, outputs["reason"]) == (0, "marked")
    assert status(world, first["commit"]) == "failure"
    assert run(world, mode="unhold", environment=place)[1]["reason"] == "unmarked"
    assert status(world, first["commit"]) == "success"


def test_a_mark_on_all_apps_needs_the_permission_of_every_app(world: Shop) -> None:
    text = (world.folder / "apps/shop/stagegate.yaml").read_text()
    settle(world, "shop", text + "commands: {hold: admin}\n")
    hold = {"mode": "hold", "environment": "all/prod", "reason": "the database moves"}
    assert run(world, actor="octo-dev", app="pay", **hold)[1]["reason"] == "not-authorised"
    assert not [ref for ref in world.hub().refs("refs/heads/stagegate/") if "/hold/" in ref]


def test_one_app_that_cannot_be_judged_does_not_stop_the_others(world: Shop) -> None:
    _, first = run(world, app="shop", environment="prod")
    world.passed("1.1.0", outcome="failed", reason="checks-failed")
    world.repo.seed({"apps/pay/stagegate.yaml": "app: [broken\n"})
    code, outputs = run(world, mode="evaluate")
    assert (code, outputs["reason"]) == (2, "bad-settings")
    assert status(world, first["commit"]) == "failure"
