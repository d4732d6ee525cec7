"""Image-only releases, a shared chart, and two apps of one repository that must not disturb each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.registry import Registry
from tests.road.monorepo import APPS, SHARED, Monorepo, monorepo, pin

NEW = {"web": "1.1.0", "pay": "2.0.0"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monorepo]:
    monkeypatch.setenv("STAGEGATE_WRITE_PACE", "0")
    monkeypatch.setenv("SERVICE_URL", "")
    monkeypatch.setenv("STAGEGATE_HOSTS", "")
    with Registry(tmp_path / "registry") as registry, monorepo(tmp_path, registry.host) as made:
        yield made


def test_both_apps_of_one_commit_reach_production(world: Monorepo) -> None:
    world.release(NEW)
    for app in APPS:
        told = world.step("promote-pr", app, environment="staging", version=NEW[app])
        assert (told["code"], told["reason"]) == ("0", "committed")
    for app in APPS:
        told = world.gate(app, "staging")
        assert (told["code"], told["reason"]) == ("0", "passed")
        assert world.runs(app, "staging") == NEW[app]
    passed = {f"stagegate/{app}/staging": "success" for app in APPS}
    assert {name: state for name, (state, _) in world.statuses(world.commit).items()} == passed

    pulls = {}
    for app in APPS:
        told = world.step("promote-pr", app, environment="prod")
        assert (told["code"], told["reason"], told["version"]) == ("0", "proposed", NEW[app])
        pulls[app] = world.ask("GET", f"/pulls/{told['pr-number']}")
        assert pulls[app]["head"]["ref"] == f"stagegate/promote/{app}/prod"
        files = world.ask("GET", f"/pulls/{told['pr-number']}/files")
        assert [file["filename"] for file in files] == [pin(app, "prod")]
    assert SHARED in world.repo.read(pulls["pay"]["head"]["sha"], pin("pay", "prod")).decode()

    for app in APPS:
        world.ask("PUT", f"/pulls/{pulls[app]['number']}/merge", merge_method="squash")
        told = world.gate(app, "prod")
        assert (told["code"], told["reason"]) == ("0", "passed")
        assert world.runs(app, "prod") == NEW[app]
    passed |= {f"stagegate/{app}/prod": "success" for app in APPS}
    assert {name: state for name, (state, _) in world.statuses(world.commit).items()} == passed
