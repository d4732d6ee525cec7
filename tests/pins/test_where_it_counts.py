"""The value that Argo CD, Helm or Kustomize applies is the one that moves, or the pin is refused."""

from __future__ import annotations

import msgspec
import pytest

from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.pins import pinned_version
from stagegate.settings import Settings

SOURCE = "{repoURL: ghcr.io/acme/charts, chart: shop, targetRevision: VERSION}"


def generated(generators: str, version: str, extra: str = "") -> str:
    """An ApplicationSet with these generators, whose template has this version."""
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: shop}\nspec:\n"
        f"  goTemplate: true\n  generators:\n{generators}{extra}  template:\n"
        f"    metadata: {{name: 'shop-{{{{.env}}}}'}}\n    spec: {{source: {SOURCE.replace('VERSION', version)}}}\n"
    )


def moved(files: dict[str, str], *pins: str) -> dict[str, list[str]]:
    """The lines of each file that 1.2.4 changes."""
    raw = {
        "app": "shop",
        "images": ["ghcr.io/acme/shop"],
        "chart": {
            "path": "charts/shop",
            "repository": "oci://ghcr.io/acme/charts",
            "image-tag-value": "image.tag",
        },
        "environments": [{"name": "prod", "pins": pins, "argocd": {"applications": ["shop-prod"]}}],
    }
    settings = msgspec.convert(raw, Settings)
    contents: dict[str, bytes | None] = {name: text.encode() for name, text in files.items()}
    contents |= dict.fromkeys(pinned_version.files_of(settings.environment("prod"))) | contents
    release = Release(app="shop", version="1.2.4", tag="v1.2.4", commit="")
    edited, _ = pinned_version.edited(settings.environment("prod"), contents, release, settings, "")
    return {
        name: [line.strip() for line in edited[name].decode().split("\n") if "1.2.4" in line]
        for name in edited
    }


def test_the_later_value_of_a_merge_generator_moves() -> None:
    generators = (
        "  - merge:\n      mergeKeys: [env]\n      generators:\n"
        "      - list: {elements: [{env: prod, version: 1.0.0}, {env: staging, version: 1.0.0}]}\n"
        "      - list: {elements: [{env: prod, version: 1.2.3}]}\n"
    )
    assert moved({"s.yaml": generated(generators, "'{{.version}}'")}, "s.yaml") == {
        "s.yaml": ["- list: {elements: [{env: prod, version: 1.2.4}]}"]
    }


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            generated(
                "  - list: {elements: [{env: prod, version: 1.2.3}]}\n",
                "9.9.9",
                "  templatePatch: |\n    spec:\n      source:\n        targetRevision: '{{ .version }}'\n",
            ),
            "templatePatch in line 8 sets the same value too",
        ),
        (
            generated(
                "  - list:\n      elements: [{env: prod}]\n      template:\n        metadata: {}\n"
                f"        spec: {{source: {SOURCE.replace('VERSION', '1.2.3')}}}\n",
                "1.0.0",
            ),
            "{file: s.yaml, path: spec.generators.0.list.template.spec.source.targetRevision}",
        ),
        (
            "image: {repository: ghcr.io/acme/shop, tag: v1.2.3}\n"
            "image: {repository: ghcr.io/acme/shop, tag: v1.2.3}\nweb: {image: 'ghcr.io/acme/shop:v1.2.3'}\n",
            "has the key image twice",
        ),
    ],
)
def test_a_value_that_another_one_replaces_is_refused(content: str, words: str) -> None:
    with pytest.raises(Stop) as caught:
        moved({"s.yaml": content}, "s.yaml")
    assert words in f"{caught.value.what} {caught.value.why} {caught.value.next}"
    assert caught.value.line


def test_a_template_patch_without_the_version_is_accepted() -> None:
    patch = "  templatePatch: |\n    spec:\n      source:\n        helm:\n          valueFiles: [x.yaml]\n"
    content = generated("  - list: {elements: [{env: prod, version: 1.2.3}]}\n", "'{{.version}}'", patch)
    assert moved({"s.yaml": content}, "s.yaml") == {
        "s.yaml": ["- list: {elements: [{env: prod, version: 1.2.4}]}"]
    }


def test_only_the_values_below_the_apps_name_move_in_an_umbrella_chart() -> None:
    chart = (
        "apiVersion: v2\nname: all\nversion: 0.1.0\ndependencies:\n"
        "  - {name: shop, alias: front, version: 1.2.3, repository: 'oci://ghcr.io/acme/charts'}\n"
    )
    values = "front: {image: {tag: v1.2.3}}\nimage: {tag: v1.2.3}\n"
    assert moved({"c/Chart.yaml": chart, "c/values.yaml": values}, "c/values.yaml") == {
        "c/values.yaml": ["front: {image: {tag: v1.2.4}}"]
    }


def test_values_beside_a_version_move_with_it() -> None:
    kustomization = (
        "helmCharts:\n- name: shop\n  repo: oci://ghcr.io/acme/charts\n  version: 1.2.3\n"
        "  valuesInline: {image: {tag: v1.2.3}}\n- {name: redis, repo: 'https://x.test', version: 1.2.3}\n"
    )
    assert moved({"kustomization.yaml": kustomization}, "kustomization.yaml") == {
        "kustomization.yaml": ["version: 1.2.4", "valuesInline: {image: {tag: v1.2.4}}"]
    }
    apps = f"shop:\n  source: {SOURCE.replace('VERSION', '1.2.3')}\n  values: {{image: {{tag: v1.2.3}}}}\n"
    assert len(moved({"apps.yaml": apps}, "apps.yaml")["apps.yaml"]) == 2
