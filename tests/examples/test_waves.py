"""The example of waves: a release goes from the canary to the last wave with one approval, by its settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from stagegate import settings
from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

FOLDER = Path(__file__).parents[2] / "examples/waves"
SETTINGS = settings.load(FOLDER / "stagegate.yaml", "stagegate.yaml")
WAVES = ("prod-canary", "prod-eu", "prod-us")


@pytest.mark.parametrize("environment", SETTINGS.environments, ids=lambda e: e.name)
def test_each_environment_has_its_application_and_values(environment: settings.Environment) -> None:
    (pin,) = environment.pins
    assert isinstance(pin, str)
    application = YAML(typ="safe", pure=True).load(FOLDER / pin)
    assert application["metadata"]["name"] in environment.argo.application_names
    for file in application["spec"]["sources"][0]["helm"]["valueFiles"]:
        assert (FOLDER / file.removeprefix("$values/")).is_file()


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    """A shop with the example's settings, Applications and values, and releases 1.0.0 and 1.1.0."""
    with shop(tmp_path, host) as made:

        def at_home(text: str) -> str:
            return text.replace("ghcr.io/acme", f"{host}/acme").replace("https://github.com", made.forge.url)

        paths = [path for path in FOLDER.rglob("*.yaml") if path.is_file()]
        files = {path.relative_to(FOLDER).as_posix(): at_home(path.read_text()) for path in paths}
        made.repo.seed(dict(files))
        (made.folder / "stagegate.yaml").write_text(files["stagegate.yaml"])
        yield made


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    """One step of promote-pr; its exit code and outputs."""
    return promote_pr(world.environ(**inputs)), world.outputs()


def runs(world: Shop, environment: str) -> bool:
    """Whether an environment's pins name 1.1.0."""
    return 'targetRevision: "1.1.0"' in world.repo.read("main", f"deploy/argocd/{environment}.yaml").decode()


def test_a_release_takes_every_wave_with_one_approval(world: Shop) -> None:
    assert run(world, environment="staging", version="1.1.0")[1]["reason"] == "committed"
    world.passed("1.1.0", "staging")
    assert run(world, environment="prod-canary")[1]["reason"] == "merged"
    world.passed("1.1.0", "prod-canary")
    _, europe = run(world, environment="prod-eu")
    world.review(int(europe["pr-number"]), "octo-dev", "APPROVE")
    assert run(world, mode="evaluate", environment="prod-eu")[1]["reason"] == "soaking"
    world.forge.advance(2 * 3600)
    assert run(world, mode="evaluate", environment="prod-eu")[1]["reason"] == "merged"
    world.passed("1.1.0", "prod-eu")
    assert run(world, environment="prod-us")[1]["reason"] == "proposed"
    world.forge.advance(86400)
    assert run(world, mode="evaluate", environment="prod-us")[1]["reason"] == "merged"
    assert all(runs(world, wave) for wave in WAVES)


def pin(world: Shop, environment: str) -> None:
    """Move an environment to 1.1.0 by hand."""
    path = f"deploy/argocd/{environment}.yaml"
    text = world.repo.read("main", path).decode()
    world.repo.seed({path: text.replace('"1.0.0"', '"1.1.0"').replace("v1.0.0", "v1.1.0")})


def test_a_merge_without_approval_carries_none(world: Shop) -> None:
    for name in ("staging", "prod-canary"):
        pin(world, name)
        world.passed("1.1.0", name)
    world.forge.advance(2 * 3600)
    _, europe = run(world, environment="prod-eu")
    world.merge(int(europe["pr-number"]))  # by a person, without an approval
    world.passed("1.1.0", "prod-eu")
    run(world, environment="prod-us")
    world.forge.advance(86400)
    _, outputs = run(world, mode="evaluate", environment="prod-us")
    assert outputs["reason"] == "awaiting-review"
    assert not runs(world, "prod-us")
