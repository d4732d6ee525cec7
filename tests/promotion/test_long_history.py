"""The verdict that decides may be far back, behind nightly looks and the gates of many other releases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stagegate.actions import publish_release
from stagegate.evidence import history
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import Shop, shop
from tests.promotion.steps import promote_pr

MANY = 33  # more than are read at once


def run(world: Shop, **inputs: str) -> tuple[int, dict[str, str]]:
    return promote_pr(world.environ(**inputs)), world.outputs()


def test_nightly_looks_hide_no_verdict(world: Shop) -> None:
    for environment, versions in (("staging", ("1.1.0",)), ("prod", ("1.0.0",))):
        for version in versions:
            world.passed(version, environment)
            for _ in range(MANY):
                world.passed(version, environment, kind="look")
    world.seed_pin("staging", "1.1.0")
    code, outputs = run(world, environment="prod", version="1.1.0")
    assert (code, outputs["reason"]) == (0, "proposed")

    world.merge(int(outputs["pr-number"]))
    world.passed("1.1.0", "prod")
    for _ in range(MANY):
        world.passed("1.1.0", "prod", kind="look")
    assert run(world, mode="evaluate")[0] == 0
    assert world.report()["findings"] == []
    code, outputs = run(world, mode="rollback", environment="prod", reason="it loses orders")
    assert (code, outputs["reason"], outputs["version"]) == (0, "proposed", "1.0.0")


def test_gates_of_other_releases_hide_no_verdict(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    for _ in range(MANY):
        world.passed("1.1.0", "prod")
    world.seed_pin("prod", "1.1.0")
    code, outputs = run(world, mode="rollback", environment="prod", reason="it loses orders")
    assert (code, outputs["reason"], outputs["version"]) == (0, "proposed", "1.0.0")

    world.passed("1.1.0")
    for _ in range(MANY):
        world.passed("1.2.0")
    world.seed_pin("staging", "1.2.0")
    world.seed_pin("prod", "1.0.0")
    code, outputs = run(world, mode="unhold", environment="prod")
    code, outputs = run(world, environment="prod", version="1.1.0")
    assert (code, outputs["reason"]) == (0, "proposed")


def test_a_verdict_too_far_back_is_unknown_and_not_absent(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.passed("1.0.0", "prod")
    for _ in range(MANY):
        world.passed("1.1.0", "prod")
    world.seed_pin("prod", "1.1.0")
    monkeypatch.setattr(history, "PAGE", 10)
    monkeypatch.setattr(history, "LIMIT", 20)
    code, outputs = run(world, mode="rollback", environment="prod", reason="it loses orders")
    assert (code, outputs["reason"]) == (3, "unknown-state")


def test_a_recent_verdict_needs_one_request_for_all_environments(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    since = len(world.forge.calls)
    run(world, environment="prod", version="1.1.0")
    assert len([c for c in world.forge.calls[since:] if c.path.endswith("/deployments")]) == 1


def test_the_newest_release_that_passed_is_found_behind_failures(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 10)
    world.passed("1.1.0", "prod")
    world.hub().set_status(world.commits["1.1.0"], "stagegate/shop/prod", "success", "passed")
    for _ in range(12):
        world.passed("1.2.0", "prod", outcome="failed", reason="checks-failed")
    environ = world.environ(dry_run="true")
    code = entrypoint(
        "publish-release", publish_release.PublishRelease, publish_release.main, argv=[], environ=environ
    )
    assert (code, world.report()["version"]) == (0, "1.1.0")


def test_a_release_that_ran_for_a_minute_has_not_soaked(tmp_path: Path, host: str) -> None:
    with shop(tmp_path, host, changes={"after: [staging]": "after: [staging]\n    soak: 1h"}) as world:
        world.passed("1.1.0")
        world.forge.advance(60)
        world.passed("1.2.0")
        world.forge.advance(3600)
        for _ in range(MANY):
            world.passed("1.2.0")
        world.seed_pin("staging", "1.2.0")
        code, told = run(world, environment="prod", version="1.1.0")
        assert (code, told["reason"], told["next-at"]) == (0, "proposed", "")
        status = world.hub().statuses(told["commit"])[0]
        assert status.state == "pending"
        assert re.search(
            r"good in staging for only 6\ds before 1\.2\.0 replaced it, but needs 1h", status.description
        )
