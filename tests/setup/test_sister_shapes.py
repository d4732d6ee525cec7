"""init: further shapes of repositories, each read by its pins and moved by them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stagegate import settings as settings_file
from stagegate.actions import init, promote_pr
from stagegate.runner.boundary import entrypoint
from stagegate.settings import PinSettings
from tests.setup.bare_repositories import APPLICATION, PROBED, commit, git, write
from tests.setup.test_init import alone, configs

SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: shop, namespace: argocd}}
spec:
  goTemplate: true
  generators:
{generators}
  template:
    metadata: {{name: 'shop-{{{{.cluster}}}}'}}
    spec:
      project: default
      destination: {{server: '{{{{.server}}}}', namespace: shop}}
      source: {{repoURL: ghcr.io/acme/charts, chart: shop, targetRevision: '{version}'}}
"""


def one_overlay_for_many(folder: Path) -> None:
    """Three services in one kustomization for each environment, with plain tags and renamed images."""
    files = {"k8s/base/kustomization.yaml": "resources: [cart.yaml, pay.yaml, web.yaml]\n"}
    for place, versions in {"staging": "1.3.0 2.1.0 3.0.1", "prod-eu": "1.2.0 2.0.0 3.0.0"}.items():
        images = "".join(
            f"  - name: acme/{name}\n    newName: ghcr.io/acme/{name}\n    newTag: {version}\n"
            for name, version in zip(("cart", "pay", "web"), versions.split(), strict=True)
        )
        files[f"k8s/overlays/{place}/kustomization.yaml"] = f"resources: [../../base]\nimages:\n{images}"
    for name in ("cart", "pay", "web"):
        files[f"k8s/base/{name}.yaml"] = PROBED.format(name=name).replace("ghcr.io/acme/", "acme/")
        files[f"services/{name}/package.json"] = f'{{"name": "{name}", "version": "1.3.0"}}\n'
        files[f"services/{name}/Dockerfile"] = "FROM scratch\n"
    write(folder, files)
    commit(folder, "acme/mono")


def base_only(folder: Path) -> None:
    """Overlays that name no image, because the base does."""
    files = {
        "base/kustomization.yaml": "resources: [deployment.yaml]\n",
        "base/deployment.yaml": PROBED.format(name="web").replace("acme/web", "acme/web:1.0.0"),
        "src/app.py": "x = 1\n",
    }
    for place in ("staging", "prod"):
        files[f"overlays/{place}/kustomization.yaml"] = (
            f"resources:\n  - ../../base\nnamespace: our-{place}\nimages: []\n".replace("images: []\n", "")
        )
    write(folder, files)
    commit(folder, "acme/web")


def cluster_values(folder: Path) -> None:
    """An ApplicationSet whose cluster generators carry the version."""
    generators = "".join(
        f"    - clusters:\n        selector: {{matchLabels: {{env: {place}}}}}\n        values: {{version: {version}}}\n"
        for place, version in (("staging", "1.5.0"), ("prod", "1.4.0"))
    )
    write(folder, {"shop.yaml": SET.format(generators=generators.rstrip(), version="{{.values.version}}")})
    commit(folder, "acme/fleet")


def files_for_clusters(folder: Path) -> None:
    """An ApplicationSet that reads the version of each cluster from a file."""
    generators = "    - git:\n        repoURL: https://github.com/acme/fleet.git\n        revision: main\n"
    generators += "        files: [{path: 'clusters/*/config.yaml'}]"
    files = {"set.yaml": SET.format(generators=generators, version="{{.version}}")}
    for place, version in (("staging", "1.5.0"), ("prod-eu", "1.4.0"), ("prod-us", "1.4.0")):
        files[f"clusters/{place}/config.yaml"] = f"cluster: {place}\nserver: https://x\nversion: {version}\n"
    write(folder, files)
    commit(folder, "acme/fleet")


def shared_umbrella(folder: Path) -> None:
    """One umbrella chart for all environments; only the values differ."""
    files = {
        "charts/all/Chart.yaml": "apiVersion: v2\nname: all\nversion: 0.1.0\ndependencies:\n"
        "  - {name: shop, repository: oci://ghcr.io/acme/charts, version: 1.2.3}\n"
        "  - {name: redis, repository: oci://registry-1.docker.io/bitnamicharts, version: 19.0.0}\n"
    }
    for place, version in (("staging", "1.3.0"), ("prod", "1.2.3")):
        files[f"charts/all/values-{place}.yaml"] = (
            f"shop:\n  image:\n    repository: ghcr.io/acme/shop\n    tag: v{version}\n"
        )
        source = (
            "    repoURL: https://github.com/acme/all.git\n    targetRevision: main\n    path: charts/all\n"
        )
        source += f"    helm: {{valueFiles: [values-{place}.yaml]}}"
        files[f"argocd/{place}.yaml"] = APPLICATION.format(name=f"all-{place}", source=source)
    write(folder, files)
    commit(folder, "acme/all")


def one_environment(folder: Path) -> None:
    """A manifest, and no file or folder with the name of an environment."""
    text = PROBED.format(name="web").replace("acme/web", "acme/web:1.2.3")
    write(
        folder, {"deploy/deployment.yaml": text, "main.go": "package main\n", "Dockerfile": "FROM scratch\n"}
    )
    commit(folder, "acme/web", "v1.2.3")


PLACES = "spec.generators.{}.clusters.values.version"
SHAPES: dict[str, tuple[Callable[[Path], None], dict[str, dict[str, object]], tuple[str, ...], str]] = {
    "one-overlay-for-many": (
        one_overlay_for_many,
        {
            name: {place: f"k8s/overlays/{place}/kustomization.yaml" for place in ("staging", "prod-eu")}
            for name in ("cart", "pay", "web")
        },
        ("mono-staging",),
        "{version}",
    ),
    "base-only": (
        base_only,
        {
            "web": {
                place: PinSettings(file=f"overlays/{place}/kustomization.yaml", add=True)
                for place in ("staging", "prod")
            }
        },
        ("web-staging",),
        "v{version}",
    ),
    "cluster-values": (
        cluster_values,
        {
            "shop": {
                "staging": PinSettings(file="shop.yaml", path=PLACES.format(0)),
                "prod": PinSettings(file="shop.yaml", path=PLACES.format(1)),
            }
        },
        ("shop-staging",),
        "v{version}",
    ),
    "files-for-clusters": (
        files_for_clusters,
        {
            "shop": {
                place: PinSettings(file=f"clusters/{place}/config.yaml", path="version")
                for place in ("staging", "prod-eu", "prod-us")
            }
        },
        ("shop-staging",),
        "v{version}",
    ),
    "shared-umbrella": (
        shared_umbrella,
        {"shop": {place: f"charts/all/values-{place}.yaml" for place in ("staging", "prod")}},
        ("all-staging",),
        "v{version}",
    ),
    "one-environment": (
        one_environment,
        {"web": {"prod": "deploy/deployment.yaml"}},
        ("web-prod",),
        "{version}",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_init_reads_each_shape_and_its_pins_move(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build, expected, applications, form = SHAPES[shape]
    build(tmp_path)
    alone(monkeypatch, tmp_path)
    flags = ["--yes", "--stagegate", "acme/stagegate@v0.1.0"]
    assert entrypoint("init", init.Init, init.main, argv=flags) == 0
    found = configs(tmp_path)
    assert {
        app: {place.name: place.pins[0] for place in settings.environments} for app, settings in found.items()
    } == expected
    first = next(iter(found.values()))
    assert (first.environments[0].argo.application_names, first.image_tag) == (applications, form)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "chore: adopt stagegate")
    for config in sorted(tmp_path.rglob("stagegate.yaml")):
        for place in settings_file.load(config, config.name).environments:
            flags = ["--local", "--config", config.relative_to(tmp_path).as_posix()]
            flags += ["--environment", place.name, "--version", "7.8.9"]
            assert entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=flags) == 0
    assert capsys.readouterr().out.count("reason=updated") == 1 + sum(
        len(places) for places in expected.values()
    )


def test_a_version_that_no_promotion_moves_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shared_umbrella(tmp_path)
    alone(monkeypatch, tmp_path)
    assert entrypoint("init", init.Init, init.main, argv=["--dry-run"]) == 0
    assert "charts/all/Chart.yaml has shop 1.2.3 for every environment" in capsys.readouterr().out
