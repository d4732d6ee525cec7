"""The library chart, rendered by helm inside a chart that uses it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from stagegate.clients import process

ROOT = Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "a" * 64
TEMPLATE = """
image: {{ include "stagegate.image" (dict "context" $ "image" .Values.image) }}
tag: {{ include "stagegate.imageTag" (dict "context" $ "image" .Values.image) }}
policy: {{ include "stagegate.imagePullPolicy" (dict "context" $ "image" .Values.image) }}
apiVersion: v1
kind: ConfigMap
metadata: {name: shown}
"""


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts") / "shop"
    (folder / "templates").mkdir(parents=True)
    shutil.copytree(ROOT / "charts/stagegate-lib", folder / "charts/stagegate-lib")
    dependency = "dependencies: [{name: stagegate-lib, version: 0.1.0}]"
    (folder / "Chart.yaml").write_text(
        f"apiVersion: v2\nname: shop\nversion: 1.2.0\nappVersion: 1.2.0+b1\n{dependency}\n"
    )
    (folder / "values.yaml").write_text("image: {repository: acme/shop}\n")
    (folder / "templates/shown.yaml").write_text(TEMPLATE)
    return folder


@pytest.mark.parametrize(
    ("values", "image", "policy"),
    [
        ({}, "acme/shop:v1.2.0_b1", "IfNotPresent"),
        (
            {"global": {"imageTag": "v1.3.0", "imageRegistry": "ghcr.io"}},
            "ghcr.io/acme/shop:v1.3.0",
            "IfNotPresent",
        ),
        (
            {"global": {"imageRegistry": "ghcr.io"}, "image": {"repository": "quay.io/acme/shop"}},
            "quay.io/acme/shop:v1.2.0_b1",
            "IfNotPresent",
        ),
        ({"image": {"form": "%s"}}, "acme/shop:1.2.0_b1", "IfNotPresent"),
        ({"image": {"tag": "7"}, "global": {"imageTag": "v1.3.0"}}, "acme/shop:7", "IfNotPresent"),
        ({"global": {"imageTag": "latest"}}, "acme/shop:latest", "Always"),
        (
            {"image": {"digest": DIGEST}, "global": {"imageTag": "latest"}},
            f"acme/shop:latest@{DIGEST}",
            "IfNotPresent",
        ),
        ({"global": {"imagePullPolicy": "Never"}}, "acme/shop:v1.2.0_b1", "Never"),
    ],
)
def test_an_image_follows_the_release(chart: Path, values: dict[str, Any], image: str, policy: str) -> None:
    done = process.run(
        "helm", "template", "x", str(chart), "--values", "-", input=yaml.safe_dump(values).encode()
    )
    shown = yaml.safe_load(done.text)
    assert (shown["image"], shown["policy"]) == (image, policy)
    assert image.endswith((str(shown["tag"]), DIGEST))


def test_an_image_without_a_repository_is_named(chart: Path) -> None:
    done = process.run("helm", "template", "x", str(chart), "--set", "image.repository=", check=False)
    assert done.code
    assert "stagegate.image needs image.repository" in done.errors


def test_the_example_uses_the_library_as_it_is() -> None:
    own, copied = (
        ROOT / "charts/stagegate-lib",
        ROOT / "examples/shop/charts/shop/charts/stagegate-lib",
    )
    names = ("Chart.yaml", "templates/_image.tpl")
    assert [(copied / name).read_text() for name in names] == [(own / name).read_text() for name in names]
    template = ROOT / "examples/shop/charts/shop/templates/_helpers.tpl"
    assert 'include "stagegate.image" ' in template.read_text()
