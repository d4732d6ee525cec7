"""Damaged pin files of every shape: edited so that only the pinned scalars change, or refused."""

from __future__ import annotations

import random

import pytest

from stagegate import pins, settings
from stagegate.argocd_app import malformed
from stagegate.chart import objects
from stagegate.errors import Stop
from stagegate.model import Image, Release
from stagegate.pins import shapes, strict
from stagegate.settings import Settings
from tests.fuzz import engine
from tests.pins.yaml_documents import WORDS, document

pytestmark = pytest.mark.fuzz
SETTINGS = b"""
app: shop
images: [ghcr.io/acme/shop]
chart: {path: charts/shop, repository: "oci://ghcr.io/acme/charts", image-tag-value: image.tag}
environments: [{name: prod, pins: [p.yaml]}]
"""
OURS: Settings = settings.parse(SETTINGS, "stagegate.yaml")
RELEASE = Release(
    app="shop",
    version="1.2.4",
    tag="v1.2.4",
    commit="b" * 40,
    images=(Image(reference="ghcr.io/acme/shop", digest="sha256:" + "c" * 64),),
)
PIECES = (
    *(word for word in WORDS if word),
    "&a ", "*a", "<<: *a", "\n---\n", "\n--- x\n", "...\n", "%YAML 1.1\n", "!!str ", "!x ", "? ", "- ", ": ", "{", "}", "[", "]",
    "|\n", ">-\n", '"', "'", "\\u0041", "\u2028", "\x85", "\r", "\t", "#", "\n", "\n  ", "${X}", "{{ .x }}", "1.2.3", "v1.2.3",
    "targetRevision: 1.2.3\n", "sources: []\n", "kind: ApplicationSet\n", "sops: {mac: x}\n", "[" * 200, "- " * 150, "9" * 500,
)  # fmt: skip


def pin(chance: random.Random) -> tuple[str, bytes]:
    shape = chance.choice(shapes.all_shapes())
    text = shape.example if chance.random() < 0.9 else document(chance)
    spoiled = engine.spoiled(text, chance, PIECES)
    content = spoiled.encode("utf-8", "surrogatepass")
    if chance.random() < 0.03:
        content = content.replace(b"a", bytes([chance.randrange(256)]), 1)
    return shape.file, content


def use(given: tuple[str, bytes]) -> None:
    file, content = given
    try:
        strict.check(content, file)
    except Stop:
        is_plain = False
    else:
        is_plain = True
    read = pins.read(file, content, OURS)
    pins.running(read, OURS)
    pins.besides(content, file, read.places)
    for one in read.applications:
        malformed.first(one)
    edited, _ = pins.edit(read, RELEASE, OURS)
    again = pins.read(file, edited, OURS)
    assert pins.besides(content, file, read.places) == pins.besides(edited, file, again.places)
    if is_plain:
        strict.check(edited, file)


def test_any_pin_file_is_read_and_edited_or_refused() -> None:
    engine.run("pins", pin, use)


def manifests(chance: random.Random) -> str:
    return engine.spoiled("\n---\n".join(document(chance) for _ in range(3)), chance, PIECES)


def read(text: str) -> None:
    assert all(one.kind for one in objects.parse(text, "x.yaml"))


def test_any_manifest_is_read_or_refused() -> None:
    engine.run("manifests", manifests, read)
