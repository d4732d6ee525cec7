"""The files of the two repositories name each other, and each setting is in one of them."""

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
    assert APP.registry_hosts <= PINS.registry_hosts, (
        "the pins repository would send no request to the app's registry"
    )
    assert (APP.environments, PINS.own_chart) == ((), None), "each key is in one of the two files"


@pytest.mark.parametrize("environment", PINS.environments, ids=lambda e: e.name)
def test_pins_and_values_are_in_the_same_repository(environment: settings.Environment) -> None:
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
