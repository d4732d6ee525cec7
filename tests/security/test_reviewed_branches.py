"""A release comes from the default branch or from one that policy lists; a tag elsewhere is no release."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.evidence import releases
from tests.promotion.shop_world import Shop, shop


def branched(world: Shop, branch: str) -> None:
    """Version 1.4.0, published from a branch of its own."""
    person = world.hub(world.forge.token("octo-dev"))
    head = person.head("main")
    assert head is not None
    person.create_ref(f"refs/heads/{branch}", head)
    sha = person.create_commit(branch, head, "fix: late", "", {"late.txt": b"x\n"})
    person.create_tag("v1.4.0", sha, "v1.4.0")
    world.commits["1.4.0"] = sha
    world.publish("1.4.0")


@pytest.mark.parametrize(
    ("branch", "is_release"),
    [("release/1.4", True), ("release/1.4/mine", False), ("releases", False), ("mine/release/1.4", False)],
)
def test_only_branches_that_policy_lists_make_releases(
    tmp_path: Path, host: str, branch: str, is_release: bool
) -> None:
    with shop(tmp_path, host, more="release-branches: [release/*]\n") as world:
        branched(world, branch)
        settings = settings_file.parse(world.repo.read("main", "stagegate.yaml"), "stagegate.yaml")
        if is_release:
            assert releases.reviewed(settings, "1.4.0", world.hub(), world.store).version == "1.4.0"
            return
        with pytest.raises(Stop) as stopped:
            releases.reviewed(settings, "1.4.0", world.hub(), world.store)
        assert (stopped.value.reason, "release-branches" in stopped.value.next) == ("not-authorised", True)


def test_a_tag_with_the_name_of_the_default_branch_is_not_read_instead_of_it(
    tmp_path: Path, host: str
) -> None:
    """Any writer may push a tag called `main`, and Git resolves a tag before a branch."""
    with shop(tmp_path, host) as world:
        world.split()
        policy = settings_file.parse(
            world.gitops.store.git("show", "main:apps/shop/stagegate.yaml"), "stagegate.yaml"
        )
        person = world.hub(world.forge.token("octo-dev"))
        head = person.head("main")
        assert head is not None
        person.create_ref("refs/heads/side", head)
        text = world.repo.read("main", "stagegate.yaml").replace(b"charts/shop", b"charts/other")
        sha = person.create_commit("side", head, "feat: other", "", {"stagegate.yaml": text})
        person.create_ref("refs/tags/main", sha)
        assert world.hub().files("main", ["stagegate.yaml"])["stagegate.yaml"].content == text  # type: ignore[union-attr]
        chart = releases.whole(policy, world.hub()).chart
        assert getattr(chart, "path", "") == "charts/shop"
        assert not world.hub().contains("main", sha)
