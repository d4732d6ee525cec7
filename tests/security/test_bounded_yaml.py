"""I2: YAML that is small to send and endless to read ends as an error of its own pull request, wherever it is."""

from __future__ import annotations

import time

import pytest
import yaml

from stagegate import yaml_1_1
from tests.actions.test_pin_guard import BOMB, PROD, guard, propose, status
from tests.promotion.shop_world import Shop

DEEP = "x: " + "[" * 5000 + "]" * 5000 + "\n"
BASE = "deploy/base/kustomization.yaml"


def kustomized(world: Shop) -> None:
    pin = "deploy/prod/kustomization.yaml"
    images = f"images:\n- {{name: {world.host}/acme/shop, newTag: v1.0.0}}\n"
    world.repo.seed(
        {
            "stagegate.yaml": world.repo.read("main", "stagegate.yaml").decode().replace(PROD, pin),
            pin: f"kind: Kustomization\nresources: [../base]\n{images}",
            BASE: "resources: [one.yaml]\n",
            "deploy/base/one.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        }
    )


@pytest.mark.parametrize("text", [BOMB, DEEP])
@pytest.mark.parametrize(
    "path",
    [BASE, "deploy/base/one.yaml", "deploy/values/prod.yaml", "deploy/more.yaml", "deploy/prod/Chart.yaml"],
)
def test_a_bomb_in_any_file_of_an_environment_ends(world: Shop, path: str, text: str) -> None:
    if not path.startswith("deploy/values"):
        kustomized(world)
    good = propose(world, {"README.md": lambda text: f"{text}x"}, branch="good")
    pull = propose(world, {path: lambda old: f"{old}{text}"}, branch="bad")
    began = time.process_time()
    guard(world)
    assert time.process_time() - began < 30, "the file was read as usual"
    assert status(world, good.head_sha)[0] == "success", "the other pull request has its own status"
    assert status(world, pull.head_sha)[0] in (
        ("success",) if path == "deploy/more.yaml" else ("failure", "error")
    )


@pytest.mark.parametrize("text", [BOMB, DEEP])
def test_every_reader_of_yaml_refuses_it(text: str) -> None:
    for read in (
        yaml_1_1.load,
        yaml_1_1.load_all,
        yaml_1_1.load_last,
        yaml_1_1.load_all_last,
        yaml_1_1.compose,
        yaml_1_1.compose_all,
    ):
        with pytest.raises(yaml.YAMLError):
            read(text)
