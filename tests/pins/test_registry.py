"""The registry of pin shapes: built from the folder, complete, and every example is a pin that moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate import pins
from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.pins import files, shapes
from stagegate.pins.shape import Shape
from stagegate.settings import PinSettings, Settings

HERE = Path(__file__).parent
OURS: Settings = settings_file.parse(
    b"""
app: shop
source: acme/shop
images: [ghcr.io/acme/shop, ghcr.io/acme/worker]
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts", image-tag-value: global.imageTag}
environments: [{name: prod, argocd: {applications: [shop-prod]}}]
""",
    "stagegate.yaml",
)
NEW = Release(app="shop", version="1.2.4", tag="v1.2.4", commit="c" * 40)


def moved(pin: str | PinSettings, content: bytes) -> bytes:
    pin_file = pins.read(pin, content, OURS, OURS.environment("prod"))
    return pins.edit(pin_file, NEW, OURS)[0]


@pytest.mark.parametrize("shape", shapes.all_shapes(), ids=lambda shape: shape.name)
def test_the_example_of_a_shape_is_read_by_it_and_moves(shape: Shape) -> None:
    before = shape.example.encode()
    pin_file = pins.read(shape.file, before, OURS, OURS.environment("prod"))
    assert shape.name in {place.shape for place in pin_file.places}
    after = moved(shape.file, before)
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert changed and all(a.replace(b"1.2.3", b"1.2.4") == b for a, b in changed)
    assert b"staging" in before or b"1.2.3" not in after
    assert moved(shape.file, after) == after, "the second move changes nothing"


def test_every_module_of_the_folder_is_a_shape_or_used_by_one() -> None:
    folder = Path(shapes.__file__).parent
    serving = {"sources", "image_fields", "custom", "added_image", "set_elements", "set_cures"}
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    finders = [shape.places or shape.source_places for shape in shapes.all_shapes()]
    registered = {finder.__module__.rpartition(".")[2] for finder in finders if finder}
    assert modules == registered | serving
    names = [shape.name for shape in shapes.all_shapes()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "images", ["", "images:\n- name: nginx\n  newTag: '1.0'\n", "images:\n  - name: a # x\n    newTag: b\n"]
)
def test_missing_images_are_added_on_request_and_nothing_else_changes(images: str, newline: str) -> None:
    before = f"resources: [../base]\n{images}namePrefix: x-\n".replace("\n", newline).encode()
    pin = PinSettings(file="prod/kustomization.yaml", add=True)
    after = moved(pin, before)
    entries = [line.strip() for line in after.decode().splitlines() if "ghcr.io" in line or "v1.2.4" in line]
    assert entries == [
        "- name: ghcr.io/acme/shop",
        "newTag: v1.2.4",
        "- name: ghcr.io/acme/worker",
        "newTag: v1.2.4",
    ]
    left = [line for line in after.decode().splitlines() if line.strip() not in entries]
    added = [] if images else ["images:"]
    assert sorted(left) == sorted([*before.decode().splitlines(), *added])
    assert moved(pin, after) == after


def test_a_glob_pins_every_file_that_it_matches() -> None:
    text = b"app: shop\nimages: [i.example/shop]\nenvironments: [{name: prod, pins: ['deploy/prod-*/values.yaml']}]\n"
    settings = settings_file.parse(text, "stagegate.yaml")
    paths = [
        "deploy/prod-us/values.yaml",
        "deploy/prod-eu/values.yaml",
        "deploy/prod-eu/deep/values.yaml",
        "x.yaml",
    ]
    expanded = files.expanded(settings, paths)
    assert expanded.environment("prod").pins == ("deploy/prod-eu/values.yaml", "deploy/prod-us/values.yaml")
    with pytest.raises(Stop, match="No file matches") as stopped:
        files.expanded(settings, ["x.yaml"], "stagegate.yaml", text)
    assert (stopped.value.file, stopped.value.line) == ("stagegate.yaml", 3)


def test_lines_that_still_contain_the_old_version_are_named() -> None:
    content = b"image:\n  repository: ghcr.io/acme/shop\n  tag: v1.2.3\nnote: 1.2.3\nother: 1.2.30\n"
    pin_file = pins.read("values.yaml", content, OURS, OURS.environment("prod"))
    _, edits = pins.edit(pin_file, NEW, OURS)
    assert [edit.also for edit in edits] == [(4,)]
