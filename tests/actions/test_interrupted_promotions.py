"""The attempt after a run that was killed or could not read its facts completes it, and no earlier success remains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

OTHER = """\
  - name: other
    after: [staging]
    pins: [deploy/other.yaml]
"""


def run(world: Shop, attempt: int = 1, **inputs: str) -> tuple[int, dict[str, str]]:
    return promote_pr(world.environ(**inputs) | {"GITHUB_RUN_ATTEMPT": str(attempt)}), world.outputs()


def ready(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")


def dispatched(world: Shop) -> int:
    return len([e for e in world.forge.drain_events() if e.name == "workflow_dispatch" and not e.swallowed])


def test_a_merge_whose_verification_did_not_start_is_verified_by_the_next_attempt(
    tmp_path: Path, host: str
) -> None:
    change = {"labels: [stagegate]": "labels: [stagegate], merge: stagegate"}
    with shop(tmp_path, host, changes=change) as world:
        ready(world)
        _, told = run(world, environment="prod", version="1.1.0")
        world.review(int(told["pr-number"]), "octo-dev", "APPROVE")
        world.forge.fail("POST", "/dispatches", None, 500)
        assert run(world, mode="evaluate")[0] == 3
        assert "v1.1.0" in world.pins("prod")
        world.forge.heal()
        world.forge.drain_events()
        world.repo.seed({"README.md": "somebody goes on\n"})
        assert dispatched(world) == 0
        code, told = run(world, 2, mode="evaluate")
        assert (code, told["changed"], dispatched(world)) == (0, "true", 1)
        assert "so this run started the workflow" in world.report()["message"]["what"]
        assert run(world, 1, mode="evaluate")[1]["changed"] == "false"


def test_a_promotion_that_cannot_be_judged_is_an_error_and_the_others_are_judged(
    tmp_path: Path, host: str
) -> None:
    with shop(tmp_path, host, more=OTHER) as world:
        world.repo.seed({"deploy/other.yaml": world.pins("prod").replace("shop-prod", "shop-other")})
        ready(world)
        heads = [run(world, environment=name)[1]["commit"] for name in ("prod", "other")]
        world.passed("1.1.0", outcome="failed", reason="checks-failed")
        for broken, whole in (heads, heads[::-1]):
            world.forge.fail("GET", f"/compare/.*{broken}", None, 500)
            code, _ = run(world, mode="evaluate")
            world.forge.heal()
            states = [world.hub().statuses(sha)[0].state for sha in (broken, whole)]
            assert (code, states) == (3, ["error", "failure"])
        assert run(world, mode="evaluate")[0] == 0
        assert [world.hub().statuses(sha)[0].state for sha in heads] == ["failure", "failure"]


@pytest.mark.parametrize(
    ("method", "path", "written", "outputs"),
    [
        ("POST", "/statuses", {"pin", "branch", "pull-request"}, {"commit", "pr-number", "pr-url"}),
        ("POST", "/labels", {"pin", "branch", "pull-request", "status"}, {"commit", "pr-number", "pr-url"}),
        ("POST", "/pulls$", {"pin", "branch"}, {"commit"}),
    ],
    ids=["status", "labels", "pull request"],
)
def test_a_proposal_that_fails_half_way_reports_what_was_written(
    world: Shop, method: str, path: str, written: set[str], outputs: set[str]
) -> None:
    ready(world)
    world.forge.fail(method, path, None, 500)
    code, told = run(world, environment="prod", version="1.1.0")
    world.forge.heal()
    report = world.report()
    assert (code, told["changed"], told["version"]) == (3, "true", "1.1.0")
    assert outputs == {name for name in ("commit", "pr-number", "pr-url") if told.get(name)}
    assert {change["kind"] for change in report["changes"]} == written
    assert "branch stagegate/promote/shop/prod" in report["message"]["why"]
    assert run(world, environment="prod", version="1.1.0")[1]["outcome"] == "done"


def test_a_merge_whose_verification_did_not_start_reports_what_was_merged(tmp_path: Path, host: str) -> None:
    change = {"labels: [stagegate]": "labels: [stagegate], merge: stagegate"}
    with shop(tmp_path, host, changes=change) as world:
        ready(world)
        _, told = run(world, environment="prod", version="1.1.0")
        number = told["pr-number"]
        world.review(int(number), "octo-dev", "APPROVE")
        world.forge.fail("POST", "/dispatches", None, 500)
        code, told = run(world, mode="evaluate")
        assert (code, told["changed"], told["pr-number"]) == (3, "true", number)
        assert told["commit"] == world.repo.head("main")
        assert [change["kind"] for change in world.report()["changes"]] == ["merge"]


def test_a_failure_before_the_first_write_reports_no_write(world: Shop) -> None:
    ready(world)
    world.forge.fail("GET", "/", None, 500)
    _, outputs = run(world, environment="prod", version="1.1.0")
    world.forge.heal()
    assert outputs.get("changed", "") in ("", "false")
    assert world.report()["changes"] == []
