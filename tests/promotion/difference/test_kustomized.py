"""Kustomizations are built by the real kubectl or kustomize, and compared like charts."""

from __future__ import annotations

import shutil

import pytest

from stagegate.argocd_app.tree import Entry, Tree
from stagegate.difference import compare, risks
from stagegate.difference.manifests import kustomize_source
from stagegate.difference.manifests.surroundings import Around, NotRendered
from stagegate.errors import Stop

pytestmark = pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")), reason="neither kubectl nor kustomize is here"
)
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, image: ghcr.io/acme/shop, envFrom: [{secretRef: {name: web}}]}]}}}
""",
    "prod/kustomization.yaml": """resources: [../base]
images: [{name: ghcr.io/acme/shop, newTag: v1.0.0}]
secretGenerator: [{name: web, literals: [password=correct-horse]}]
""",
}


def tree(**changed: str) -> Tree:
    """The repository with some files replaced; `__` in a name stands for a slash."""
    files = {**FILES, **{name.replace("__", "/") + ".yaml": text for name, text in changed.items()}}
    contents = {name: text.encode() for name, text in files.items()}
    return Tree(
        {name: Entry(oid=text) for name, text in files.items()},
        lambda paths: {path: contents[path] for path in paths},
    )


def around(**options: object) -> Around:
    return Around(tree=lambda *_: tree(), chart=lambda _: b"", **options)  # type: ignore[arg-type]


def test_both_sides_of_an_overlay_are_built_and_compared() -> None:
    edited = FILES["prod/kustomization.yaml"].replace("v1.0.0", "v1.1.0").replace("correct-horse", "battery")
    before = kustomize_source.render(tree(), "prod", {}, around())
    after = kustomize_source.render(tree(prod__kustomization=edited), "prod", {}, around())
    found = compare(before, after, b"k")
    assert [(i.repository, i.before, i.after) for i in found.images] == [
        ("ghcr.io/acme/shop", ("v1.0.0",), ("v1.1.0",))
    ]
    assert {(one.kind, one.change) for one in found.changes} == {
        ("Deployment", "changed"),
        ("Secret", "changed"),
    }
    assert [risk.kind for risk in risks(found)] == ["secret-regenerated"]


def test_a_kustomization_that_does_not_build_is_reported() -> None:
    with pytest.raises(Stop) as caught:
        kustomize_source.render(tree(prod__kustomization="resources: [../gone]\n"), "prod", {}, around())
    assert (caught.value.reason, caught.value.file) == ("findings", "prod/kustomization.yaml")
    assert "gone" in caught.value.why


@pytest.mark.parametrize(
    "resource",
    [
        "https://example.com/all.yaml",
        "github.com/acme/base//deploy?ref=main",
        "git@github.com:acme/base.git",
        "ssh://git@example.com/acme/base",
    ],
)
def test_no_remote_base_is_fetched(resource: str) -> None:
    fetching = tree(base__kustomization=f"resources: [web.yaml, '{resource}']\n")
    with pytest.raises(NotRendered, match=r"base/kustomization\.yaml fetches"):
        kustomize_source.render(fetching, "prod", {}, around())


def test_build_options_of_argo_cd_come_from_policy() -> None:
    outside = tree(prod__kustomization="resources: [../base/web.yaml]\n")
    with pytest.raises(Stop):
        kustomize_source.render(outside, "prod", {}, around())
    options = ("--load-restrictor=LoadRestrictionsNone",)
    (built,) = kustomize_source.render(outside, "prod", {}, around(kustomize_options=options))
    assert built.label == "Deployment/web"
