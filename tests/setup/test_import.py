"""import: settings from Argo CD Image Updater and release-please, and a list of the parts to remove."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from stagegate import cli
from stagegate.argocd_app.tree import Entry, Tree
from stagegate.settings import VersionFile
from stagegate.setup import survey
from stagegate.setup.migration import image_updater, release_please
from stagegate.setup.survey import Survey
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


def test_images_of_image_updater_are_imported_with_the_place_it_writes(
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
    assert "stagegate has no setting that corresponds to the constraint ~1.2" in said
    assert "the strategy newest-build deploys the newest image" in said
    assert "Remove the configuration of Image Updater from argocd/prod.yaml" in said


def test_an_image_that_image_updater_sets_only_in_the_cluster_is_no_pin(
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
    assert "Image Updater writes ghcr.io/acme/shop only into the cluster" in capsys.readouterr().out
    assert cli.main(["init", "--dry-run"]) == 0
    assert "`stagegate import` converts the configuration of" in capsys.readouterr().out


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
    assert "corresponds to `bump-minor-pre-major` of release-please" in said


def surveyed(files: Mapping[str, str], *tags: str) -> tuple[Survey, Tree]:
    """A tree of files, and the survey that adoption makes of it."""
    tree = Tree(
        {name: Entry(oid=name) for name in files},
        lambda names: {name: files[name].encode() for name in names},
    )
    return survey.read(tree, repository="acme/gitops", branch="main", tags=tags), tree


def test_an_alias_with_a_slash_and_an_image_without_one_have_their_own_settings() -> None:
    own = {
        "image-list": "acme/api=ghcr.io/acme/api:~2, ghcr.io/acme/web:latest, cache=ghcr.io/acme/cache",
        "acme_api.update-strategy": "name",
        "acme_api.allow-tags": "regexp:^v",
        "ghcr.io_acme_web.update-strategy": "digest",
        "cache.helm.image-spec": "cache.image",
        "cache.helm.image-tag": "cache.tag",
        "write-back-method": "git",
        "git-branch": "main:updates",
    }
    annotations = {f"{image_updater.PREFIX}{name}": value for name, value in own.items()}
    application = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "spec": {}}
    application["metadata"] = {"name": "shop", "annotations": annotations}
    seen, _ = surveyed({"shop.yaml": json.dumps(application)})
    api, web, cache = image_updater.read(seen)
    assert (api.image, api.strategy, api.filters) == ("ghcr.io/acme/api", "alphabetical", ("allow-tags",))
    assert (web.strategy, web.constraint) == ("digest", "latest")
    assert (cache.whole_parameter, cache.tag_parameter) == ("cache.image", "")
    said = " ".join(image_updater.notes((api, web, cache)))
    for text in (
        "commits to the branch updates, but stagegate changes pins on main",
        "the strategy `digest` deploys every image that the tag latest",
        "the strategy alphabetical deploys the newest image",
        "no setting that corresponds to allow-tags",
        'value: "ghcr.io/acme/cache:{tag}"',
    ):
        assert text in said
    assert "the constraint" not in said, "only the strategy semver has one"
    assert "updates" not in " ".join(image_updater.notes((web,), "updates")), "that is the default branch"


def test_an_image_updater_object_is_read_with_what_its_entries_override() -> None:
    spec = {
        "commonUpdateSettings": {"updateStrategy": "digest", "ignoreTags": ["dev"]},
        "writeBackConfig": {"method": "git", "gitConfig": {"branch": "main", "repository": "acme/other"}},
        "applicationRefs": [
            {
                "namePattern": "shop-*",
                "commonUpdateSettings": {"updateStrategy": "newest-build"},
                "writeBackConfig": {"method": "argocd"},
                "images": [
                    {"imageName": "ghcr.io/acme/a:1", "manifestTargets": {"helm": {"tag": "a.tag"}}},
                    {"imageName": "ghcr.io/acme/b", "commonUpdateSettings": {"updateStrategy": "semver"}},
                ],
            },
            {"namePattern": "pay", "images": [{"imageName": "ghcr.io/acme/c"}]},
        ],
    }
    updater = {
        "apiVersion": "argocd-image-updater.argoproj.io/v1alpha1",
        "kind": "ImageUpdater",
        "spec": spec,
    }
    seen, _ = surveyed({"updater.yaml": json.dumps(updater)})
    a, b, c = image_updater.read(seen)
    assert [one.strategy for one in (a, b, c)] == ["newest-build", "semver", "digest"]
    assert [one.write_back for one in (a, b, c)] == ["argocd", "argocd", "git"]
    assert (a.tag_parameter, c.repository, c.filters) == ("a.tag", "acme/other", ("ignoreTags",))
    assert any("Set up stagegate in that repository" in text for text in image_updater.notes((c,)))


def test_release_please_defaults_to_node_and_names_what_it_cannot_describe() -> None:
    extra = [
        "a.yaml",
        {"type": "json", "path": "p.json", "jsonpath": "$.packages[''].version"},
        {"type": "yaml", "path": "/v.yaml", "jsonpath": "$['image'].tags[0]"},
        {"type": "toml", "path": "u.toml", "jsonpath": "$..version"},
        {"type": "xml", "path": "pom.xml", "xpath": "//v"},
        "block.md",
    ]
    config = {
        "packages": {".": {"extra-files": extra, "changelog-sections": []}, "gem": {"release-type": "ruby"}}
    }
    seen, tree = surveyed(
        {
            "ci/rp.json": json.dumps(config),
            "package.json": '{\n  "name": "@acme/cart",\n  "version": "1.3.0"\n}\n',
            "block.md": "<!-- x-release-please-start-version -->\n1.3.0\n<!-- x-release-please-end -->\n",
            ".github/workflows/rp.yml": "on: push\njobs: {a: {steps: [{uses: googleapis/release-please-action@v4,\n"
            "  with: {\n    config-file: ci/rp.json\n  }}]}}\n",
        },
        "cart-v1.3.0",
    )
    (cart, _), notes = release_please.read(seen, tree)
    assert (cart.component, cart.tag_prefix) == ("cart", "cart-v")
    assert cart.files == (
        "package.json",
        VersionFile(file="a.yaml", path="version"),
        VersionFile(file="p.json", path='packages."".version'),
        VersionFile(file="v.yaml", path='"image".tags.0'),
    )
    said = " ".join(notes)
    for text in (
        "JSONPath $..version",
        "pom.xml is XML",
        "block.md has markers for a block",
        "the type ruby for gem",
    ):
        assert text in said
    assert "Delete ci/rp.json, .github/workflows/rp.yml" in said
