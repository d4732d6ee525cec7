"""App and pins in two repositories: what each file may say, and which token is missing when one is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import promote_pr
from lab.registry import Registry
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import RIGHTS, Shop, shop

POLICY = "apps/shop/stagegate.yaml"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry.host


@pytest.fixture
def world(tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    with shop(tmp_path, host) as made:
        made.split()
        yield made


def promote(world: Shop, **inputs: str) -> tuple[int, str]:
    """Staging to 1.1.0 from the pins repository; exit code and reason."""
    given = {"config": POLICY, "pins_token": world.pins_token, "verify_workflow": "none", **inputs}
    environ = world.environ(environment="staging", version="1.1.0", **given)
    environ |= {"GITHUB_REPOSITORY": "acme/gitops"}
    code = entrypoint("promote-pr", promote_pr.PromotePr, promote_pr.main, argv=[], environ=environ)
    return code, world.outputs()["reason"]


def policy(world: Shop, old: str, new: str) -> None:
    """Change the settings of the pins repository, in the checkout too."""
    text = world.gitops.read("main", POLICY).decode()
    assert old in text
    world.gitops.seed({POLICY: text.replace(old, new)})
    (world.folder / POLICY).write_text(text.replace(old, new))


def test_the_apps_file_may_stand_anywhere_and_says_how_tags_are_named(world: Shop) -> None:
    own = world.repo.read("main", "stagegate.yaml").decode()
    prefixed = f"{own}version: {{tag-prefix: shop-v}}\n"
    world.repo.seed({"stagegate.yaml": None, "services/shop/stagegate.yaml": prefixed})
    policy(world, "source: acme/shop", "source: acme/shop//services/shop/stagegate.yaml")
    assert promote(world) == (2, "bad-input"), "there is no tag shop-v1.1.0"
    world.repo.store.git("update-ref", "refs/tags/shop-v1.1.0", world.commits["1.1.0"])
    assert promote(world) == (0, "committed")


def test_a_registry_that_policy_does_not_name_is_not_asked(
    world: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    own = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": own.replace(f"oci://{world.host}/", "oci://127.0.0.1:1/")})
    assert promote(world, registry_username="octo-dev", registry_password="a-password") == (2, "wrong-source")
    assert "127.0.0.1:1" in capsys.readouterr().out
    policy(world, f"images: [{world.host}/acme/shop]\n", "")
    assert promote(world) == (2, "wrong-source")


@pytest.mark.parametrize("private", [False, True])
def test_a_job_that_has_only_its_own_token_is_told_so(
    world: Shop, capsys: pytest.CaptureFixture[str], private: bool
) -> None:
    world.repo.private = private
    own = world.forge.token("", "actions", repositories=["acme/gitops"], permissions=RIGHTS)
    assert promote(world, token=own, pins_token="") == (2, "missing-permission")
    assert "acme/gitops" in capsys.readouterr().out
    before = world.gitops.head("main")
    code, reason = promote(world, token=own)
    said = capsys.readouterr().out
    assert (code, reason) == ((2, "missing-permission") if private else (0, "committed"))
    if private:
        assert "acme/shop" in said
        assert world.gitops.head("main") == before
