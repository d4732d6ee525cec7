"""The requests of a proposal to GitHub: calls that write, as the forge counts them, compared with the budget."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row
from lab.registry import Registry
from stagegate.actions import promote_pr
from stagegate.runner.boundary import entrypoint
from tests.promotion.many_apps import evaluate, quiet
from tests.promotion.shop_world import APPLICATION, Shop, shop

BUDGET = 8
FILES = (1, 5)
APPS = (1, 20, 60, 200)
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")


def rows(folder: Path) -> Iterator[Row]:
    """A proposal and its replacement by a newer release, for one and for five pin files; then evaluations."""
    os.environ["STAGEGATE_WRITE_PACE"] = "0"
    yield from evaluations(folder)
    for files in FILES:
        here = folder / str(files)
        here.mkdir()
        with Registry(here / "registry") as registry:
            pins = ["deploy/prod.yaml", *(f"deploy/prod-{number}.yaml" for number in range(2, files + 1))]
            changes = {"pins: [deploy/prod.yaml]": f"pins: [{', '.join(pins)}]"}
            with shop(here, registry.host, versions=VERSIONS, changes=changes) as world:
                add(world, files)
                for what, version in (("proposal", "1.1.0"), ("its replacement", "1.2.0")):
                    world.seed_pin("staging", version)
                    world.passed(version)
                    read, written = count(world, "proposed" if what == "proposal" else "updated")
                    pieces = f"{what}, {files} pin file{'s' if files > 1 else ''}"
                    yield Row(
                        pieces, f"{written} writes ({read} reads)", f"{BUDGET} writes", written / BUDGET,
                        f"{BUDGET}", written <= BUDGET,
                    )  # fmt: skip


def evaluations(folder: Path) -> Iterator[Row]:
    """An evaluation of a whole repository in which no promotion is due."""
    for apps in APPS:
        here = folder / f"apps-{apps}"
        here.mkdir()
        with Registry(here / "registry") as registry, quiet(here, registry.host, apps) as world:
            with contextlib.redirect_stdout(io.StringIO()):
                made = evaluate(world)
            what = f"evaluation of {apps} app{'s' if apps > 1 else ''}, nothing open"
            budget = 10 if apps <= 60 else 20
            yield Row(
                what, f"{made} requests", f"{budget} requests", made / budget, str(budget), made <= budget
            )


def add(world: Shop, files: int) -> None:
    """The Applications beyond the first, each with values of its own."""
    names = [f"prod-{number}" for number in range(2, files + 1)]
    seeded = {
        f"deploy/{n}.yaml": APPLICATION.format(host=world.host, name=n, url=world.forge.url) for n in names
    }
    seeded |= {f"deploy/values/{name}.yaml": "replicas: 2\n" for name in names}
    if seeded:
        world.repo.seed(seeded)


def count(world: Shop, reason: str) -> tuple[int, int]:
    """Reads and writes of one step of promote-pr towards prod."""
    before = len(world.forge.calls)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        entrypoint(
            "promote-pr",
            promote_pr.PromotePr,
            promote_pr.main,
            argv=[],
            environ=world.environ(environment="prod"),
        )
    if world.outputs()["reason"] != reason:
        raise RuntimeError(f"not {reason}: {said.getvalue()[-500:]}")
    calls = world.forge.calls[before:]
    return sum(not call.write for call in calls), sum(call.write for call in calls)
