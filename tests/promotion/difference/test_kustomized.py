"""Kustomizations are built by the real kubectl or kustomize, and compared like charts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stagegate.clients import process
from stagegate.difference import compare, risks
from stagegate.difference.kustomize import build
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


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a base and a production overlay."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    identity = ("-c", "user.name=octo-dev", "-c", "user.email=octo-dev@users.noreply.github.com")
    process.run("git", "init", "-q", cwd=tmp_path)
    process.run("git", "add", ".", cwd=tmp_path)
    process.run("git", *identity, "commit", "-q", "-m", "Start", cwd=tmp_path)
    return tmp_path


def test_both_sides_of_an_overlay_are_built_and_compared(clone: Path) -> None:
    overlay = FILES["prod/kustomization.yaml"]
    edited = overlay.replace("v1.0.0", "v1.1.0").replace("correct-horse", "battery-staple").encode()
    before = build(clone, "HEAD", "prod/kustomization.yaml", {})
    after = build(clone, "HEAD", "prod/kustomization.yaml", {"prod/kustomization.yaml": edited})
    assert before
    assert after
    found = compare(before, after, b"k")
    assert [(i.repository, i.before, i.after) for i in found.images] == [
        ("ghcr.io/acme/shop", ("v1.0.0",), ("v1.1.0",))
    ]
    assert {(one.kind, one.change) for one in found.changes} == {
        ("Deployment", "changed"),
        ("Secret", "changed"),
    }
    assert [risk.kind for risk in risks(found)] == ["secret-regenerated"]
    assert (clone / "prod/kustomization.yaml").read_text() == overlay


def test_what_cannot_be_known_is_none_and_what_does_not_build_is_said(clone: Path) -> None:
    assert build(clone, "0" * 40, "prod/kustomization.yaml", {}) is None
    with pytest.raises(Stop) as caught:
        build(
            clone, "HEAD", "prod/kustomization.yaml", {"prod/kustomization.yaml": b"resources: [../gone]\n"}
        )
    assert caught.value.reason == "findings"
    assert caught.value.file == "prod/kustomization.yaml"
    assert "gone" in caught.value.why
