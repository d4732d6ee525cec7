"""Shared policy is read from the default branch, once for many apps, and is unknown where it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.forge import Forge
from stagegate import settings
from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.promotion import app_state

OWN = """\
app: web
extends: {extends}
images: [ghcr.io/acme/web]
chart: none
environments: [{{name: prod, pins: [pin.yaml]}}]
"""
SOAK = "environments: {prod: {soak: 45m}}\n"


class World:
    """The app's repository, one that everybody may read, and one that nobody may read."""

    def __init__(self, forge: Forge) -> None:
        self.forge = forge
        self.web = forge.repository("acme/web", private=True)
        self.platform = forge.repository("acme/platform")
        self.platform.seed({"stagegate/policy.yaml": SOAK})
        forge.repository("acme/secret", private=True).seed({"policy.yaml": SOAK})


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Forge(tmp_path / "forge") as made:
        yield World(made)


def state(world: World, extends: str, files: dict[str, str] | None = None) -> app_state.AppState:
    own = OWN.format(extends=extends)
    world.web.seed({"stagegate.yaml": own, "pin.yaml": "v1.0.0\n", **(files or {})})
    token = world.forge.token("", "actions", repositories=["acme/web"], permissions={"contents": "read"})
    url = world.forge.url
    one = hub.connect("acme/web", token, api_url=url, graphql_url=f"{url}/graphql", server_url=url, pace=0)
    connections = Connections(app=one, pins=one, registry=Registry(frozenset()), config="stagegate.yaml")
    return app_state.read(connections, settings.parse(own.encode(), "stagegate.yaml"))


@pytest.mark.parametrize(
    ("extends", "files"),
    [("acme/platform//stagegate/policy.yaml", {}), ("policy/shared.yaml", {"policy/shared.yaml": SOAK})],
)
def test_the_policy_is_that_of_both_files_and_names_both_blobs(
    world: World, extends: str, files: dict[str, str]
) -> None:
    found = state(world, extends, files)
    assert found.settings.environment("prod").soak == "45m"
    own, _, shared = found.blob.partition("+")
    assert len(own) == len(shared) == 40


def test_a_change_of_the_shared_file_is_the_policy_of_every_app(world: World) -> None:
    before = state(world, "acme/platform//stagegate/policy.yaml").blob
    world.platform.seed({"stagegate/policy.yaml": SOAK.replace("45m", "2h")})
    found = state(world, "acme/platform//stagegate/policy.yaml")
    assert found.settings.environment("prod").soak == "2h"
    assert found.blob != before


@pytest.mark.parametrize(
    "extends",
    ["acme/secret//policy.yaml", "acme/platform//other.yaml", "acme/nowhere//policy.yaml", "other.yaml"],
)
def test_a_shared_file_that_cannot_be_read_is_unknown(world: World, extends: str) -> None:
    with pytest.raises(Stop) as stop:
        state(world, extends)
    assert stop.value.reason == "unknown-state"
    assert "cannot be read" in stop.value.what
