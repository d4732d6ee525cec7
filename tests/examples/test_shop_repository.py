"""The shop's other files agree with each other: chart, Applications, settings, versions, scenarios."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

SHOP = Path(__file__).parents[2] / "examples/shop"
CHART = SHOP / "charts/shop"
ENVIRONMENTS = ("staging", "prod")
VERSION = (SHOP / "VERSION").read_text().strip()


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["helm", *arguments], capture_output=True, text=True, timeout=60)


def render(*arguments: str) -> dict[str, Any]:
    """Rendered objects by kind; the chart has one of each."""
    done = helm("template", "shop", str(CHART), *arguments)
    assert done.returncode == 0, done.stderr
    objects = [item for item in YAML(typ="safe", pure=True).load_all(done.stdout) if item]
    by_kind = {item["kind"]: item for item in objects}
    assert len(by_kind) == len(objects)
    return by_kind


def container(objects: dict[str, Any]) -> Any:
    return objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def application(environment: str) -> Any:
    return read(SHOP / f"deploy/argocd/{environment}.yaml")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_chart_passes_lint_and_follows_the_tag(environment: str) -> None:
    values = ("--values", str(SHOP / f"deploy/values/{environment}.yaml"))
    lint = helm("lint", "--strict", str(CHART), *values)
    assert lint.returncode == 0, lint.stdout
    default = container(render(*values))
    assert default["image"] == f"ghcr.io/acme/shop:v{VERSION}"
    assert default["imagePullPolicy"] == "IfNotPresent"
    other = container(
        render(*values, "--set", "global.imageTag=probe", "--set", "global.imagePullPolicy=Always")
    )
    assert (other["image"], other["imagePullPolicy"]) == ("ghcr.io/acme/shop:probe", "Always")


def test_new_values_restart_the_pods_and_nothing_is_random() -> None:
    def checksum(*arguments: str) -> Any:
        return render(*arguments)["Deployment"]["spec"]["template"]["metadata"]["annotations"][
            "checksum/config"
        ]

    assert checksum() == checksum() != checksum("--set", "config.SHOP_CURRENCY=CHF")


def test_the_login_is_never_generated() -> None:
    assert "Secret" not in render()
    refused = helm("template", "shop", str(CHART), "--set", "auth.existingSecret=")
    assert refused.returncode != 0 and "name auth.existingSecret" in refused.stderr
    objects = render("--set", "auth.existingSecret=,auth.user=octo-dev,auth.password=change-me")
    assert objects["Secret"]["stringData"] == {"user": "octo-dev", "password": "change-me"}
    names = {e["valueFrom"]["secretKeyRef"]["name"] for e in container(objects)["env"]}
    assert names == {objects["Secret"]["metadata"]["name"]}


def test_a_mistyped_value_is_reported() -> None:
    refused = helm("template", "shop", str(CHART), "--set", "replica=3")
    assert refused.returncode != 0 and "replica" in refused.stderr


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_application_pins_this_release_and_finds_its_values(environment: str) -> None:
    document = application(environment)
    chart, values = document["spec"]["sources"]
    assert document["metadata"]["name"] == f"shop-{environment}"
    assert (chart["repoURL"], chart["chart"]) == ("ghcr.io/acme/charts", "shop")
    assert chart["targetRevision"] == VERSION
    assert chart["helm"]["parameters"] == [
        {"name": "global.imageTag", "value": f"v{VERSION}", "forceString": True}
    ]
    assert values["ref"] == "values"
    for file in chart["helm"]["valueFiles"]:
        place, _, path = file.partition("/")
        assert place == "$values" and (SHOP / path).is_file()


def test_the_settings_name_existing_files() -> None:
    settings = read(SHOP / "stagegate.yaml")
    assert [environment["name"] for environment in settings["environments"]] == list(ENVIRONMENTS)
    for environment in settings["environments"]:
        applied = application(environment["name"])
        assert environment["argocd"]["applications"] == [applied["metadata"]["name"]]
        assert (SHOP / environment["gate"]["scenarios"]).is_file()
        assert environment["pins"] == [f"deploy/argocd/{environment['name']}.yaml"]


def test_every_version_file_contains_the_version() -> None:
    settings = read(SHOP / "stagegate.yaml")["version"]
    for place in settings["files"]:
        if isinstance(place, str):
            assert (SHOP / place).read_text() == f"{VERSION}\n"
        elif "path" in place:
            assert read(SHOP / place["file"])[place["path"]] == VERSION
        else:
            assert place["pattern"].format(version=VERSION) in (SHOP / place["file"]).read_text()
    headings = re.findall(
        r"^## \[(.+?)\] - \d{4}-\d\d-\d\d$", (SHOP / settings["changelog"]).read_text(), re.M
    )
    assert headings[0] == VERSION


def test_the_shops_own_tests_pass() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "discover", "--start-directory", "tests"],
        cwd=SHOP,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"Ran [1-9]\d* tests", done.stderr)
