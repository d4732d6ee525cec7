"""The monorepo: its settings name every environment, and only a changed service is released."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.forge import Forge
from stagegate import settings
from stagegate.actions import environments, promote_pr, version_bump
from stagegate.runner.boundary import entrypoint
from tests.examples.test_lines import FIRST, beside_the_build, lines
from tests.runner.reading import outputs

FOLDER = Path(__file__).parents[2] / "examples/monorepo"
APPS = ("cart", "catalog", "search")
ENVIRONMENTS = ("staging", "prod-eu", "prod-us")
FURTHER = 15  # lines of each further app


def config(app: str) -> str:
    return f"services/{app}/stagegate.yaml"


@pytest.mark.parametrize("app", APPS)
def test_every_service_gets_its_environments_and_their_files(app: str) -> None:
    found = settings.load(FOLDER / config(app), config(app))
    assert [one.name for one in found.environments] == list(ENVIRONMENTS)
    assert found.environment("prod-us").after == ("prod-eu",)
    for one in found.environments:
        (pin,) = one.pins
        assert isinstance(pin, str)
        overlay = yaml.safe_load((FOLDER / pin).read_text())
        assert overlay["images"] == [{"name": found.images[0], "newTag": "v1.0.0"}]
        assert (FOLDER / one.gate.scenarios).is_file()
        assert one.github_environment_of(app, several=True) == f"{app}-{one.name}"
    assert all((FOLDER / place.file).read_text() == "1.0.0\n" for place in found.version.places)


def test_a_further_service_costs_few_lines_and_no_workflow() -> None:
    assert beside_the_build("monorepo") <= FIRST
    for app in APPS:
        assert lines(yaml.safe_load((FOLDER / config(app)).read_text())) <= FURTHER
    texts = "".join(file.read_text() for file in (FOLDER / ".github/workflows").glob("*.yml"))
    assert not re.search("|".join(APPS), texts)


class World:
    """The example on the forge, with the steps of a person and of a job."""

    def __init__(self, forge: Forge, folder: Path) -> None:
        self.forge, self.work = forge, folder / "work"
        repo = forge.repository("acme/shop-services")
        files = [file for file in sorted(FOLDER.rglob("*")) if file.is_file()]
        repo.seed({file.relative_to(FOLDER).as_posix(): file.read_text() for file in files}, "feat: begin")
        for app in APPS:
            repo.store.git("update-ref", f"refs/tags/{app}-v1.0.0", repo.head("main"))
        repo.seed({"services/cart/service.go": "package main\n"}, "feat: pay by invoice")
        self.token = forge.token(
            "",
            "actions",
            repositories=["acme/shop-services"],
            permissions={"contents": "write", "deployments": "read"},
        )
        self.git("clone", "-q", repo.path.as_posix(), self.work.as_posix(), cwd=folder)
        self.git("remote", "set-url", "origin", f"{forge.url}/acme/shop-services.git")

    def git(self, *arguments: str, cwd: Path | None = None) -> None:
        subprocess.run(["git", *arguments], cwd=cwd or self.work, check=True, capture_output=True)

    def step(self, action: str, **inputs: str) -> dict[str, str]:
        """One action with these inputs; its outputs."""
        module, kind = {
            "version-bump": (version_bump, version_bump.VersionBump),
            "environments": (environments, environments.Environments),
            "promote-pr": (promote_pr, promote_pr.PromotePr),
        }[action]
        output = self.work.parent / "output"
        output.unlink(missing_ok=True)
        environ = {
            "PATH": os.environ["PATH"],
            "GITHUB_WORKSPACE": str(self.work),
            "GITHUB_REPOSITORY": "acme/shop-services",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_ACTOR": "octo-lead",
            "GITHUB_RUN_ID": "7",
            "GITHUB_SERVER_URL": self.forge.url,
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_GRAPHQL_URL": f"{self.forge.url}/graphql",
            "GITHUB_OUTPUT": str(output),
            "STAGEGATE_WRITE_PACE": "0",
            "SG_TOKEN": self.token,
            **{f"SG_{name.upper()}": value for name, value in inputs.items()},
        }
        code = entrypoint(action, kind, module.main, argv=[], environ=environ)
        text = output.read_text()
        assert code == 0, text
        return outputs(text)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("monorepo")
    with Forge(folder / "forge") as forge:
        yield World(forge, folder)


def test_only_the_service_that_changed_is_released_to_its_first_environment(world: World) -> None:
    bumped = world.step("version-bump", mode="commit")
    released = [one for one in json.loads(bumped["matrix"]) if one["changed"]]
    assert [(one["app"], one["version"], one["tag"]) for one in released] == [
        ("cart", "1.1.0", "cart-v1.1.0")
    ]
    listed = world.step("environments", select="first", releases=bumped["matrix"])
    (place,) = json.loads(listed["matrix"])
    assert (place["app"], place["environment"], place["github_environment"]) == (
        "cart",
        "staging",
        "cart-staging",
    )
    assert (place["version"], place["config"], place["commit"]) == (
        "1.1.0",
        config("cart"),
        released[0]["commit"],
    )
    assert [one["app"] for one in json.loads(listed["releases"])["apps"]] == ["cart"]


def test_a_promotion_moves_the_tag_of_one_overlay(world: World) -> None:
    world.step("promote-pr", local="true", app="search", environment="prod-us", version="1.2.3")
    overlay = "services/search/deploy/prod-us/kustomization.yaml"
    before = (FOLDER / overlay).read_text()
    assert (world.work / overlay).read_text() == before.replace("newTag: v1.0.0 #", "newTag: v1.2.3 #")


def test_the_overlays_can_be_built(tmp_path: Path) -> None:
    tool = next(
        (one for one in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(one[0])), None
    )
    if tool is None:
        pytest.skip("neither kustomize nor kubectl is on this machine")
    for app in APPS:
        for environment in ENVIRONMENTS:
            built = subprocess.run(
                [*tool, str(FOLDER / f"services/{app}/deploy/{environment}")],
                cwd=tmp_path, check=True, capture_output=True, text=True,
            )  # fmt: skip
            assert f"image: ghcr.io/acme/{app}:v1.0.0" in built.stdout
