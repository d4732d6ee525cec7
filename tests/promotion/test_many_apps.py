"""The cost of a run does not grow with the apps, but with open promotions and the files of a push."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate.actions import environments, pin_guard
from stagegate.runner.boundary import entrypoint
from tests.actions.test_pin_guard import propose, status
from tests.actions.test_pr_command import issue, say
from tests.promotion.shop_world import Shop

from .many_apps import NEWEST, evaluate, quiet

APPS = 60


@pytest.fixture
def sixty(tmp_path: Path, host: str) -> Iterator[Shop]:
    with quiet(tmp_path, host, APPS) as world:
        yield world


def test_sixty_apps_with_nothing_open_cost_ten_requests(sixty: Shop) -> None:
    assert evaluate(sixty) <= 10
    assert sixty.report()["calls"] == {"read": evaluate(sixty), "write": 0}, (
        "each request must be counted once"
    )


def test_a_push_concerns_only_the_apps_whose_files_it_changed(sixty: Shop) -> None:
    assert moved(sixty, {"README.md": "more\n"}) == ([], 6)
    pins = sixty.repo.read("main", "deploy-7/prod.yaml").decode().replace(NEWEST, "1.2.0")
    (place,), requests = moved(sixty, {"deploy-7/prod.yaml": pins})
    assert (place["app"], place["environment"]) == ("app7", "prod")
    assert requests <= 20
    shared = moved(sixty, {"deploy/values/prod.yaml": "replicas: 3\n"})[0]
    assert [one["environment"] for one in shared] == ["prod"] * APPS


def test_a_pull_request_without_pins_costs_the_same_for_twenty_apps(tmp_path: Path, host: str) -> None:
    with quiet(tmp_path, host, 20) as world:
        pull = propose(world, {"README.md": lambda text: text + "more\n"})
        before = len(world.forge.calls)
        environ = world.environ(config="apps/*/stagegate.yaml", pull_request=str(pull.number))
        assert entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ) == 0
        assert len(world.forge.calls) - before <= 15
        assert status(world, pull.head_sha)[0] == "success"


def test_a_hold_of_every_app_costs_the_same_for_twenty_apps(tmp_path: Path, host: str) -> None:
    with quiet(tmp_path, host, 20) as world:
        number = issue(world)
        before = len(world.forge.calls)
        assert say(
            world, "octo-lead", "/hold all/prod the database moves", number, config="apps/*/stagegate.yaml"
        )[:2] == (0, "marked")
        assert len(world.forge.calls) - before <= 30
        assert "refs/heads/stagegate/hold/all/prod" in world.hub().refs("refs/heads/stagegate/")


def moved(world: Shop, files: dict[str, str]) -> tuple[list[dict[str, str]], int]:
    """The environments to gate after a push of these files, and how many requests that took."""
    push = {"before": world.repo.head("main"), "after": world.repo.seed(files), "sender": {"type": "User"}}
    (world.folder / "event.json").write_text(json.dumps(push))
    environ = world.environ(config="apps/*/stagegate.yaml", select="moved")
    environ |= {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(world.folder / "event.json")}
    before = len(world.forge.calls)
    assert (
        entrypoint("environments", environments.Environments, environments.main, argv=[], environ=environ)
        == 0
    )
    return json.loads(world.outputs()["matrix"]), len(world.forge.calls) - before
