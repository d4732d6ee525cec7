"""One file for several environments: each sees and moves its own part."""

from __future__ import annotations

import pytest

from stagegate import pins
from stagegate import settings as settings_file
from stagegate.model import Release
from stagegate.pins import changes
from stagegate.settings import Settings

SETTINGS = b"""
app: shop
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts", image-tag-value: global.imageTag}
environments:
  - {name: staging, argocd: {applications: [shop-staging]}, pins: [shop.yaml]}
  - {name: prod, after: [staging], argocd: {applications: [shop-prod]}, pins: [shop.yaml]}
"""
OURS: Settings = settings_file.parse(SETTINGS, "stagegate.yaml")
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop-%s}
spec: {source: {repoURL: ghcr.io/acme/charts, chart: shop, targetRevision: %s}}
"""
SET = """apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop}
spec:
  generators:
    - {matrix: {generators: [{clusters: {}}, {list: {elements: [{at: staging, v: %s}, {at: prod, v: %s}]}}]}}
  template:
    metadata: {name: "shop-{{at}}"}
    spec: {source: {repoURL: ghcr.io/acme/charts, chart: shop, targetRevision: "{{v}}"}}
"""
FILES = {
    "applications": lambda staging, prod: (
        APPLICATION % ("staging", staging) + "---\n" + APPLICATION % ("prod", prod)
    ),
    "application set": lambda staging, prod: SET % (staging, prod),
}


@pytest.mark.parametrize("kind", FILES)
def test_each_environment_moves_only_its_own_part(kind: str) -> None:
    content = FILES[kind]("1.2.0", "1.1.0").encode()
    release = Release(app="shop", version="1.2.0", tag="v1.2.0", commit="a" * 40)
    found = {e.name: pins.read("shop.yaml", content, OURS, e) for e in OURS.environments}
    assert {name: pins.version_of(file, OURS) for name, file in found.items()} == {
        "staging": "1.2.0",
        "prod": "1.1.0",
    }
    assert pins.edit(found["staging"], release, OURS) == (content, ())
    assert pins.edit(found["prod"], release, OURS)[0] == FILES[kind]("1.2.0", "1.2.0").encode()


@pytest.mark.parametrize("kind", FILES)
def test_a_release_of_one_environment_does_not_move_the_other(kind: str) -> None:
    old, new = (FILES[kind](staging, "1.1.0").encode() for staging in ("1.2.0", "1.3.0"))
    moved = {
        e.name: changes.moves_release(OURS, e, {"shop.yaml": old}, {"shop.yaml": new})
        for e in OURS.environments
    }
    assert moved == {"staging": True, "prod": False}
    broken = {"shop.yaml": b"a: ["}
    assert changes.moves_release(OURS, OURS.environment("prod"), {"shop.yaml": old}, broken)


@pytest.mark.parametrize("kind", FILES)
def test_the_application_for_rendering_is_that_of_the_environment(kind: str) -> None:
    content = FILES[kind]("1.2.0", "1.1.0").encode()
    (application,) = pins.read("shop.yaml", content, OURS, OURS.environment("prod")).applications
    assert application["kind"] == "Application"
    assert application["metadata"] == {"name": "shop-prod"}
    assert application["spec"] == {
        "source": {"repoURL": "ghcr.io/acme/charts", "chart": "shop", "targetRevision": "1.1.0"}
    }
