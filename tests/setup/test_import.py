"""import: what Argo CD Image Updater and release-please have becomes settings, and what to take out is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stagegate import cli
from stagegate.settings import VersionFile
from tests.setup.bare_repositories import APPLICATION, commit, write
from tests.setup.test_init import alone, configs

SOURCE = """\
    repoURL: https://github.com/acme/gitops.git
    targetRevision: main
    path: shop/{place}"""
ANNOTATIONS = """\
  annotations:
    argocd-image-updater.argoproj.io/image-list: shop=ghcr.io/acme/shop:~1.2
    argocd-image-updater.argoproj.io/shop.update-strategy: {strategy}
    argocd-image-updater.argoproj.io/write-back-method: git:secret:argocd/git-creds
"""


def annotated(name: str, place: str, strategy: str) -> str:
    text = APPLICATION.format(name=name, source=SOURCE.format(place=place))
    return text.replace(
        "  namespace: argocd\n", "  namespace: argocd\n" + ANNOTATIONS.format(strategy=strategy)
    )


def test_images_of_image_updater_are_taken_over_where_it_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"shop/base/kustomization.yaml": "resources: []\n"}
    for place, version in (("staging", "1.2.4"), ("prod", "1.2.3")):
        files[f"argocd/{place}.yaml"] = annotated(
            f"shop-{place}", place, "semver" if place == "prod" else "newest-build"
        )
        files[f"shop/{place}/kustomization.yaml"] = "resources: [../base]\n"
        files[f"shop/{place}/.argocd-source-shop-{place}.yaml"] = (
            f"kustomize:\n  images:\n    - ghcr.io/acme/shop:{version}\n"
        )
    write(tmp_path, files)
    commit(tmp_path, "acme/gitops")
    alone(monkeypatch, tmp_path)
    assert cli.main(["import", "--yes", "--stagegate", "acme/stagegate@v0.1.0"]) == 0
    said = capsys.readouterr().out
    settings = configs(tmp_path)["shop"]
    assert {place.name: place.pins for place in settings.environments} == {
        place: (f"shop/{place}/.argocd-source-shop-{place}.yaml",) for place in ("staging", "prod")
    }
    assert (settings.images, settings.image_tag) == (("ghcr.io/acme/shop",), "{version}")
    assert "the constraint ~1.2 has no counterpart" in said
    assert "the strategy newest-build follows what is newest" in said
    assert "Take Image Updater's configuration out of argocd/prod.yaml" in said


def test_what_it_writes_into_the_cluster_only_is_no_pin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    updater = {
        "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
        "kind": "ImageUpdater",
        "metadata": {"name": "shop"},
        "spec": {
            "applicationRefs": [
                {"namePattern": "shop-*", "images": [{"alias": "shop", "imageName": "ghcr.io/acme/shop:1.x"}]}
            ]
        },
    }
    manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec: {containers: [{image: 'ghcr.io/acme/shop:1.2.3'}]}\n"
    write(tmp_path, {"updater.json": json.dumps(updater), "prod/pod.yaml": manifest})
    commit(tmp_path, "acme/gitops")
    alone(monkeypatch, tmp_path)
    assert cli.main(["import", "--dry-run"]) == 0
    assert "Image Updater writes ghcr.io/acme/shop into the cluster only" in capsys.readouterr().out
    assert cli.main(["init", "--dry-run"]) == 0
    assert "`stagegate import` takes its images over" in capsys.readouterr().out


def test_packages_of_release_please_become_version_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {
        "packages": {
            "services/cart": {
                "release-type": "node",
                "component": "cart",
                "extra-files": [
                    "README.md",
                    {"type": "yaml", "path": "chart.yaml", "jsonpath": "$.image.tag"},
                ],
            },
            "services/pay": {"release-type": "simple", "component": "payments", "include-v-in-tag": False},
        },
        "bump-minor-pre-major": True,
    }
    overlay = "resources: []\nimages:\n  - {{name: ghcr.io/acme/{name}, newTag: v{version}}}\n"
    files = {
        "release-please-config.json": json.dumps(config),
        ".release-please-manifest.json": json.dumps({"services/cart": "1.3.0", "services/pay": "2.0.0"}),
        ".github/workflows/rp.yml": "on: push\njobs: {a: {steps: [{uses: googleapis/release-please-action@v4}]}}\n",
        "services/cart/package.json": '{"name": "cart", "version": "1.3.0"}\n',
        "services/cart/README.md": "Use 1.3.0 <!-- x-release-please-version -->\n",
        "services/cart/chart.yaml": "image: {tag: 1.3.0}\n",
        "services/cart/CHANGELOG.md": "# Changelog\n",
        "services/pay/version.txt": "2.0.0\n",
        "services/pay/main.go": "package main\n",
    }
    for name, version in (("cart", "1.3.0"), ("pay", "2.0.0")):
        for place in ("staging", "prod"):
            files[f"deploy/{name}/{place}/kustomization.yaml"] = overlay.format(name=name, version=version)
    write(tmp_path, files)
    commit(tmp_path, "acme/mono", "cart-v1.3.0", "payments-2.0.0")
    alone(monkeypatch, tmp_path)
    assert cli.main(["import", "--yes", "--stagegate", "acme/stagegate@v0.1.0"]) == 0
    said = capsys.readouterr().out
    cart, pay = configs(tmp_path)["cart"].version, configs(tmp_path)["pay"].version
    assert (cart.tag_prefix, cart.changelog) == ("cart-v", "services/cart/CHANGELOG.md")
    assert cart.files == (
        "services/cart/package.json",
        VersionFile(
            file="services/cart/README.md", pattern="Use {version} <!-- x-release-please-version -->"
        ),
        VersionFile(file="services/cart/chart.yaml", path="image.tag"),
    )
    assert (pay.tag_prefix, pay.files) == ("payments-", ("services/pay/version.txt",))
    assert (
        "Delete release-please-config.json, .release-please-manifest.json, .github/workflows/rp.yml" in said
    )
    assert "release-please's `bump-minor-pre-major` has no counterpart" in said
