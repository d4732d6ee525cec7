"""A pins repository with many apps in which no promotion is due: every pin is at the newest release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

NEWEST = "1.3.0-rc.1"


@contextmanager
def quiet(folder: Path, host: str, apps: int) -> Iterator[Shop]:
    """`shop` and `app1` to `app<n>`, each with staging and prod."""
    with shop(folder, host) as world:
        text = world.repo.read("main", "stagegate.yaml").decode()
        seeds: dict[str, str] = {}
        for number in range(apps):
            app = f"app{number}" if number else "shop"
            own = text.replace("app: shop", f"app: {app}").replace("deploy/", f"deploy-{number}/")
            path = f"apps/{app}/stagegate.yaml"
            (world.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (world.folder / path).write_text(own)
            seeds[path] = own
            for environment in ("prod", "staging"):
                pins = world.pins(environment).replace("1.0.0", NEWEST)
                seeds[f"deploy-{number}/{environment}.yaml"] = pins
        world.repo.seed(seeds)
        yield world


def evaluate(world: Shop) -> int:
    """Evaluate every app, and return how many requests that took."""
    before = len(world.forge.calls)
    environ = world.environ(config="apps/*/stagegate.yaml", mode="evaluate") | {"GITHUB_ACTOR": "octo-lead"}
    code = promote_pr(environ)
    if (code, world.outputs()["reason"]) != (0, "no-difference"):
        raise RuntimeError("something waits, or went wrong")
    return len(world.forge.calls) - before
