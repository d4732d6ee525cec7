"""Many releases of one pins repository at once, with the limits that GitHub has for creating content."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from stagegate.clients.hub import transport
from tests.promotion.shop_world import Shop
from tests.promotion.steps import promote_pr

from .many_apps import quiet

RELEASES = 60
TEN_MINUTES = 600


def test_sixty_releases_are_sixty_proposals_within_ten_minutes(
    tmp_path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with quiet(tmp_path, host, RELEASES) as world:
        apps = released(world)
        world.forge.limit_content()
        limit, began = world.forge.world.content_limit, world.forge.world.shift
        # Waiting lets the forge's clock jump, and takes no time.
        clock = SimpleNamespace(sleep=world.forge.advance, time=world.forge.world.seconds)
        monkeypatch.setattr(transport, "time", clock)
        assert [propose(world, app) for app in apps] == [(0, "proposed")] * RELEASES
        assert limit.refused, "so many at once meet the limit"
        assert world.forge.world.shift - began <= TEN_MINUTES
        pulls = world.hub().pulls()
        assert {pull.head_ref for pull in pulls} == {f"stagegate/promote/{app}/prod" for app in apps}
        assert all(pull.labels == ("stagegate",) for pull in pulls)


def released(world: Shop) -> list[str]:
    """Give every app a release that may go to prod; the names of the apps."""
    apps, seeds = [], {}
    for file in sorted(world.folder.glob("apps/*/stagegate.yaml")):
        apps.append(file.parent.name)
        text = file.read_text().replace("    after: [staging]\n", "")
        file.write_text(text)
        seeds[str(file.relative_to(world.folder))] = text
    for number in range(RELEASES):
        seeds[f"deploy-{number}/prod.yaml"] = world.pins("prod")
    world.repo.seed(seeds)
    world.publish("1.2.0")
    return apps


def propose(world: Shop, app: str) -> tuple[int, str]:
    """One run of promote-pr for one app; its exit code and reason."""
    environ = world.environ(config=f"apps/{app}/stagegate.yaml", environment="prod", version="1.2.0")
    return promote_pr(environ), world.outputs()["reason"]
