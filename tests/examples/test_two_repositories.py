"""The files of the two repositories point at each other, and the app's word reaches the other one or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

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
