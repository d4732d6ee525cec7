"""The body of an open proposal has the facts of the last proposal, and is written only when it changes."""

from __future__ import annotations

import pytest

from tests.promotion import shop_world
from tests.promotion.shop_world import Shop
from tests.promotion.steps import promote_pr

SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: VERSION}\n"


def promote(world: Shop, run: str, **inputs: str) -> dict[str, str]:
    promote_pr(world.environ(**inputs) | {"GITHUB_RUN_ID": run})
    return world.outputs()


def test_a_body_is_written_again_only_when_its_content_changed(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = SECRET.replace("VERSION", "{{ .Chart.Version }}")
    monkeypatch.setattr(shop_world, "DEPLOYMENT", shop_world.DEPLOYMENT + secret)
    world.publish("1.1.0")
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    number = int(promote(world, "78", environment="prod", version="1.1.0")["pr-number"])

    def body() -> str:
        found = world.hub().pull(number)
        assert found is not None
        return found.body

    first = body()
    assert "<hidden" in first.replace("&lt;", "<")
    world.forge.advance(3600)
    assert promote(world, "79", environment="prod", version="1.1.0")["reason"] == "already-proposed"
    assert body() == first, "another time, run or key of hidden values does not change the body"

    world.passed("1.1.0", outcome="failed", reason="checks-failed")
    because = {"rules": "evidence", "reason": "we know better"}
    promote(world, "80", mode="override", environment="prod", version="1.1.0", **because)
    outputs = promote(world, "81", environment="prod", version="1.1.0")
    assert (outputs["reason"], "we know better" in body(), "failed" in body()) == ("updated", True, True)
    assert "what 1.1.0 brings" in body(), "the commits are still listed"
    assert promote(world, "82", environment="prod", version="1.1.0")["reason"] == "already-proposed"


def test_the_complete_difference_is_left_as_a_page(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    outputs = promote(world, "78", environment="prod", version="1.1.0", html="public/difference.html")
    page = (world.folder / "public/difference.html").read_text()
    assert outputs["page"].endswith("public/difference.html")
    assert "Promote shop to prod: 1.0.0 → 1.1.0" in page and "Deployment/shop" in page
    (pull,) = world.hub().pulls()
    assert f"{world.forge.url}/acme/shop/actions/runs/78#artifacts" in pull.body
    assert promote(world, "79", environment="staging", mode="hold", reason="stock-taking")["page"] == ""


def test_the_pull_request_shows_the_edit_as_a_local_edit_does(world: Shop) -> None:
    world.publish("1.1.0")
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    number = int(promote(world, "78", environment="prod", version="1.1.0")["pr-number"])
    pull = world.hub().pull(number)
    assert pull is not None
    block = pull.body.partition("Changes to the pins")[2]
    assert "--- a/deploy/prod.yaml\n+++ b/deploy/prod.yaml\n" in block
    assert '-      targetRevision: "1.0.0"\n+      targetRevision: "1.1.0"\n' in block
