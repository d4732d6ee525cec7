"""The files of the two repositories point at each other, and the app's word reaches the other one or says why not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lab.forge import Forge
from stagegate import settings

FOLDER = Path(__file__).parents[2] / "examples/two-repositories"
APP = settings.load(FOLDER / "app/stagegate.yaml", "stagegate.yaml")
PINS = settings.load(FOLDER / "gitops/apps/shop/stagegate.yaml", "apps/shop/stagegate.yaml")


def test_the_two_settings_point_at_each_other() -> None:
    repository, _, path = APP.policy.partition("//")
    assert (repository, FOLDER / "gitops" / path) == (
        "acme/gitops",
        FOLDER / "gitops/apps/shop/stagegate.yaml",
    )
    assert (PINS.source, PINS.app, PINS.images) == ("acme/shop", APP.app, APP.images)
    assert APP.registry_hosts <= PINS.registry_hosts, "the pins' repository would not ask the app's registry"
    assert (APP.environments, PINS.own_chart) == ((), None), "each thing is said in one place"


@pytest.mark.parametrize("environment", PINS.environments, ids=lambda e: e.name)
def test_pins_and_values_stand_beside_each_other(environment: settings.Environment) -> None:
    (pin,) = environment.pins
    assert isinstance(pin, str)
    application = YAML(typ="safe", pure=True).load(FOLDER / "gitops" / pin)
    assert application["metadata"]["name"] in environment.argo.application_names
    chart, values = application["spec"]["sources"]
    assert f"oci://{chart['repoURL']}/{chart['chart']}" == APP.chart_reference
    assert values["repoURL"] == "https://github.com/acme/gitops.git"
    for file in chart["helm"]["valueFiles"]:
        assert (FOLDER / "gitops" / file.removeprefix("$values/")).is_file()
    shop = FOLDER.parent / "shop" / environment.gate.scenarios
    assert shop.is_file(), "scenarios come from the release commit of the app"


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with Forge(tmp_path / "forge") as made:
        made.repository("acme/gitops").seed({"README.md": "pins\n"})
        made.repository("acme/private", private=True).seed({"README.md": "pins\n"})
        made.collaborator("acme/gitops", "octo-robot", "write")
        made.collaborator("acme/gitops", "octo-reader", "read")
        yield made


def announce(forge: Forge, token: str, repository: str = "acme/gitops") -> tuple[int, str]:
    script = FOLDER / "app/build/announce.py"
    environ = {
        "PATH": os.environ["PATH"],
        "GITHUB_API_URL": forge.url,
        "GITOPS": repository,
        "GITOPS_TOKEN": token,
    }
    command = [sys.executable, str(script), "shop", "1.1.0", "a" * 40]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_a_release_is_announced_once_even_when_the_answer_is_lost(forge: Forge) -> None:
    token = forge.token("octo-robot", repositories=["acme/gitops"], permissions={"contents": "write"})
    assert announce(forge, token)[0] == 0
    forge.fail("POST", "/dispatches", 1, 502)
    assert announce(forge, token)[0] == 0
    sent = [event for event in forge.events if event.name == "repository_dispatch"]
    assert [(event.action, event.swallowed) for event in sent] == [("stagegate-release", False)] * 2
    assert sent[0].payload["client_payload"] == {"app": "shop", "version": "1.1.0", "commit": "a" * 40}


def test_a_refusal_says_what_is_wrong_and_not_the_token(forge: Forge) -> None:
    for token, repository, said in (
        ("", "acme/gitops", "is the secret empty"),
        ("ghp_wrong", "acme/gitops", "wrong or has expired"),
        (forge.token("octo-reader"), "acme/gitops", "may not"),
        (forge.token("octo-reader"), "acme/private", "no such repository"),
    ):
        code, output = announce(forge, token, repository)
        assert code == 1
        assert said in output
        assert not token or token not in output
    assert not [event for event in forge.events if event.name == "repository_dispatch"]
