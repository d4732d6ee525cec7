"""One answer to "is this address our repository?", whatever way it is spelled."""

from __future__ import annotations

import pytest

from stagegate.argocd_app.same_repository import same_repository

OURS = (
    "https://github.com/acme/shop",
    "https://github.com/acme/shop.git",
    "https://github.com/acme/shop.git/",
    "https://github.com/ACME/Shop",
    "https://bot:token@github.com/acme/shop",
    "https://github.com:443/acme/shop",
    "https://www.github.com/acme/shop",
    "https://github.com//acme/shop",
    "git@github.com:acme/shop.git",
    "org-123@github.com:acme/shop.git",
    "ssh://git@github.com/acme/shop",
    "ssh://git@ssh.github.com:443/acme/shop.git",
    "git://github.com/acme/shop",
    "github.com/acme/shop",
    "https://github.com/acme%2Fshop",
)
FOREIGN = (
    "https://github.com/acme/shop-config",
    "https://github.com/acme",
    "https://github.com/mirror/acme/shop",
    "git@github.com:other/shop.git",
    "oci://ghcr.io/acme/charts/shop",
    "https://charts.example/acme/shop/stable",
)
UNKNOWN = (
    "",
    "https://gitlab.example/acme/shop.git",
    "git@alias:acme/shop.git",
    "https://{{ .host }}/acme/shop",
    "https://github.com/acme/$ARGOCD_APP_NAME",
)


@pytest.mark.parametrize(
    ("answer", "address"),
    [
        (answer, address)
        for answer, group in (("ours", OURS), ("foreign", FOREIGN), ("unknown", UNKNOWN))
        for address in group
    ],
)
def test_every_spelling_of_an_address_has_one_answer(answer: str, address: str) -> None:
    assert same_repository(address, "https://github.com/acme/shop") == answer


def test_a_name_without_a_host_matches_every_host_and_perhaps_a_longer_path() -> None:
    assert same_repository("https://git.example/acme/shop", "acme/shop") == "ours"
    assert same_repository("https://proxy.example/github/acme/shop", "acme/shop") == "unknown"
    assert same_repository("https://git.example/acme/shop-2", "acme/shop") == "foreign"


def test_localhost_and_127_0_0_1_are_the_same_host() -> None:
    assert same_repository("http://localhost:8080/acme/shop.git", "http://127.0.0.1:9090/acme/shop") == "ours"
