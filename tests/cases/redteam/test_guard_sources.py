"""Where values come from: addresses that look like ours."""

from __future__ import annotations

import pytest

from tests.actions.test_pin_guard import PROD, guard, propose, status
from tests.promotion.shop_world import Shop


@pytest.mark.parametrize(
    "url",
    [
        "git@evil.example:acme/shop.git",
        "evil.example:acme/shop",
        "ssh://git@evil.example/acme/shop.git",
        "https://evil.example/acme/shop.git",
        "https://127.0.0.1@evil.example/acme/shop.git",
        "https://user:pw@127.0.0.1/acme/shop.git",
        "http://127.0.0.1:1/acme/shop.git",
        "file:///acme/shop.git",
        "https://127.0.0.1/acme/shop.git?x=1",
        "HTTPS://EVIL.example:443/ACME/SHOP",
    ],
)
def test_values_from_an_address_that_only_looks_like_ours_never_pass(world: Shop, url: str) -> None:
    ours = f"{world.forge.url}/acme/shop.git"
    pull = propose(world, {PROD: lambda t: t.replace(ours, url)})
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert found[0] in ("failure", "error")


@pytest.mark.parametrize(
    "revision",
    ["heads/main", "refs/tags/v1.0.0", "main@{0}", "Main", "refs/pull/1/head"],
)
def test_values_from_a_revision_that_can_move_never_pass(world: Shop, revision: str) -> None:
    pull = propose(
        world, {PROD: lambda t: t.replace("targetRevision: main, ref", f"targetRevision: '{revision}', ref")}
    )
    guard(world, pull.number)
    found = status(world, pull.head_sha)
    assert found[0] in ("failure", "error")
