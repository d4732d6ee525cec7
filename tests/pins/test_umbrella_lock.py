"""The lock of an umbrella chart moves with it, so that the real Helm still builds it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stagegate import pins
from stagegate import settings as settings_file
from stagegate.clients import process
from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.pins import pinned_version

SETTINGS = b"""
app: shop
chart: {reference: "file://../shop/shop"}
environments: [{name: prod, pins: [umbrella/Chart.yaml]}]
"""
UMBRELLA = """apiVersion: v2
name: umbrella
version: 0.1.0
dependencies:
  # ours
  - name: shop
    version: "1.9.3"
    repository: file://../shop
    condition: shop.enabled
    tags: [a, b<c]
    import-values: [{parent: all, child: data}, exports]
  - {name: other, version: 0.3.0, repository: "file://../other", alias: another}
"""


def chart(folder: Path, name: str, version: str) -> None:
    """A chart that renders nothing."""
    folder.mkdir(exist_ok=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")


@pytest.fixture
def umbrella(tmp_path: Path) -> Path:
    """A folder with the umbrella chart and its lock as Helm wrote it, for 1.9.3; the chart itself is at 1.10.0."""
    chart(tmp_path / "shop", "shop", "1.9.3")
    chart(tmp_path / "other", "other", "0.3.0")
    (tmp_path / "umbrella").mkdir()
    (tmp_path / "umbrella/Chart.yaml").write_text(UMBRELLA)
    process.run("helm", "dependency", "update", "umbrella", cwd=tmp_path)
    chart(tmp_path / "shop", "shop", "1.10.0")
    return tmp_path


def test_helm_builds_an_umbrella_chart_after_its_pin_moved(umbrella: Path) -> None:
    settings = settings_file.parse(SETTINGS, "stagegate.yaml")
    environment = settings.environment("prod")
    files = {file: (umbrella / file).read_bytes() for file in pinned_version.files_of(environment)}
    release = Release(app="shop", version="1.10.0", tag="v1.10.0", commit="a" * 40)
    changed, edits = pinned_version.edited(environment, files, release, settings, "acme/gitops")
    (umbrella / "umbrella/Chart.yaml").write_bytes(changed["umbrella/Chart.yaml"])
    out_of_sync = process.run("helm", "dependency", "build", "umbrella", cwd=umbrella, check=False)
    assert out_of_sync.code, "the chart must not build without its lock, or this test cannot fail"
    (umbrella / "umbrella/Chart.lock").write_bytes(changed["umbrella/Chart.lock"])
    process.run("helm", "dependency", "build", "umbrella", cwd=umbrella)
    assert [edit.path for edit in edits] == ["dependencies.0.version", "dependencies.0.version", "digest"]
    old = files["umbrella/Chart.lock"].decode()
    expected = old.replace("1.9.3", "1.10.0").replace(edits[2].before, edits[2].after)
    assert changed["umbrella/Chart.lock"].decode() == expected


def test_a_chart_without_a_lock_moves_and_a_stale_lock_is_refused(umbrella: Path) -> None:
    settings = settings_file.parse(SETTINGS, "stagegate.yaml")
    environment = settings.environment("prod")
    release = Release(app="shop", version="1.10.0", tag="v1.10.0", commit="a" * 40)
    lock = (umbrella / "umbrella/Chart.lock").read_bytes()
    alone: dict[str, bytes | None] = {"umbrella/Chart.yaml": UMBRELLA.encode(), "umbrella/Chart.lock": None}
    assert [*pinned_version.edited(environment, alone, release, settings, "")[0]] == ["umbrella/Chart.yaml"]
    stale = alone | {"umbrella/Chart.lock": re.sub(rb"digest: sha256:.{8}", b"digest: sha256:00000000", lock)}
    with pytest.raises(Stop) as caught:
        pinned_version.edited(environment, stale, release, settings, "")
    assert (caught.value.reason, caught.value.file) == ("ambiguous-pin", "umbrella/Chart.lock")
    assert pins.companion("umbrella/Chart.yaml") == "umbrella/Chart.lock"
