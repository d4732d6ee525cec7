"""References to artifacts of registries: parsed to the same text again, or refused."""

from __future__ import annotations

import random

import pytest

from stagegate.clients import registry
from tests.fuzz import engine

pytestmark = pytest.mark.fuzz
PIECES = (
    "oci://", "https://", "ghcr.io", "localhost:5000", "127.0.0.1", "[::1]:5000", "[", "]", "docker.io", "index.docker.io",
    "/", "//", ":", "@", "sha256:", "a" * 64, "f" * 64, "acme", "shop", "v1.0.0", "..", ".", "-", "_", "__", "UPPER", "é", " ",
    "user:pw@", "%2f", "\n", "\x00", ":443", ":99999", "?x=1", "#", "a" * 300, "xn--e1afmkfd",
)  # fmt: skip


def reference(chance: random.Random) -> str:
    if chance.random() < 0.5:
        return "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 8)))
    return engine.spoiled("ghcr.io/acme/shop:v1.0.0@sha256:" + "a" * 64, chance, PIECES)


def use(text: str) -> None:
    found = registry.parse(text)
    assert registry.parse(str(found)) == found
    assert not set("@/ \n\x00?#") & set(found.host), "a host that leads elsewhere"
    assert ".." not in found.path.split("/")


def test_any_reference_is_parsed_or_refused() -> None:
    engine.run("references", reference, use)
