"""Image-only releases, a shared chart, and two apps of one repository that must not disturb each other.

One world for all: each test takes both apps a step further, in the order written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.registry import Registry
from tests.road.monorepo import APPS, SHARED, Monorepo, monorepo, pin

NEW = {"web": "1.1.0", "pay": "2.0.0"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monorepo]:
    folder = tmp_path_factory.mktemp("monorepo")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("STAGEGATE_WRITE_PACE", "0"), ("SERVICE_URL", ""), ("STAGEGATE_HOSTS", "")):
            patch.setenv(name, value)
        with Registry(folder / "registry") as registry, monorepo(folder, registry.host) as made:
            yield made


def done(told: dict[str, str]) -> tuple[str, str]:
    return told["code"], told["reason"]


def gates(world: Monorepo) -> dict[str, str]:
    """The verdicts of gates on the commit, without the statuses of build and publication."""
    statuses = world.statuses(world.commit)
    return {name: state for name, (state, _) in statuses.items() if "/release/" not in name}


def open_pull(world: Monorepo, app: str) -> Any:
    found = world.ask("GET", f"/pulls?state=open&head=acme:stagegate/promote/{app}/prod")
    assert len(found) == 1
    return found[0]


def test_both_apps_of_one_commit_pass_staging(world: Monorepo) -> None:
    world.release(NEW)
    for app in APPS:
        assert done(world.step("promote-pr", app, environment="staging", version=NEW[app])) == (
            "0",
            "committed",
        )
    assert done(world.gate("web", "staging")) == ("0", "passed")
    assert gates(world) == {"stagegate/web/staging": "success"}
    assert done(world.gate("pay", "staging")) == ("0", "passed")
    assert gates(world) == {f"stagegate/{app}/staging": "success" for app in APPS}
    assert {app: world.runs(app, "staging") for app in APPS} == NEW
    assert f"targetRevision: {SHARED}\n" in world.repo.read("main", pin("pay", "staging")).decode()


def test_each_app_has_its_own_proposal(world: Monorepo) -> None:
    for app in APPS:
        outputs = world.step("promote-pr", app, environment="prod")
        assert (*done(outputs), outputs["version"]) == ("0", "proposed", NEW[app])
        files = world.ask("GET", f"/pulls/{open_pull(world, app)['number']}/files")
        assert [file["filename"] for file in files] == [pin(app, "prod")]


def test_a_hold_stops_one_app_and_not_the_other(world: Monorepo) -> None:
    outputs = world.step("promote-pr", "pay", mode="hold", environment="prod", reason="the ledger is audited")
    assert done(outputs) == ("0", "marked")
    heads = {app: open_pull(world, app)["head"]["sha"] for app in APPS}
    seen = {app: world.statuses(heads[app])["stagegate/pins"] for app in APPS}
    assert seen["web"][0] == "success"
    assert seen["pay"] == ("failure", seen["pay"][1])
    assert "the ledger is audited" in seen["pay"][1]
    world.ask("PUT", f"/pulls/{open_pull(world, 'web')['number']}/merge", merge_method="squash")
    assert done(world.gate("web", "prod")) == ("0", "passed")
    assert (world.runs("web", "prod"), world.runs("pay", "prod")) == (NEW["web"], "1.0.0")
    assert open_pull(world, "pay")["head"]["sha"] == heads["pay"]


def test_pin_guard_judges_every_app_and_the_worst_verdict_counts(world: Monorepo) -> None:
    def judged(branch: str, files: dict[str, str]) -> tuple[str, str]:
        sha = world.repo.seed({**files}, "by hand", branch)
        pull = world.ask("POST", "/pulls", title=branch, head=branch, base="main")["number"]
        outputs = world.step("pin-guard", "*", pull_request=str(pull))
        assert outputs["outcome"] in ("done", "refused"), outputs
        world.ask("PATCH", f"/pulls/{pull}", state="closed")
        return world.statuses(sha)["stagegate/pins"]

    web, pay = (world.repo.read("main", pin(app, "staging")).decode() for app in APPS)
    assert judged("docs", {"README.md": "both\n"})[0] == "success"
    untested = web.replace("v1.1.0", "v9.9.9")
    state, said = judged("web-only", {pin("web", "staging"): untested})
    assert (state, "web" in said) == ("failure", True), said
    state, said = judged(
        "both", {pin("web", "staging"): untested, pin("pay", "staging"): pay.replace("prune", "x-prune")}
    )
    assert (state, "web" in said) == ("failure", True), said


def test_an_app_is_promoted_when_its_hold_is_lifted(world: Monorepo) -> None:
    outputs = world.step("promote-pr", "pay", mode="unhold", environment="prod", reason="audited")
    assert done(outputs) == ("0", "unmarked")
    pull = open_pull(world, "pay")
    assert world.statuses(pull["head"]["sha"])["stagegate/pins"][0] == "success"
    world.ask("PUT", f"/pulls/{pull['number']}/merge", merge_method="squash")
    assert done(world.gate("pay", "prod")) == ("0", "passed")
    assert {app: world.runs(app, "prod") for app in APPS} == NEW
    assert gates(world) == {
        f"stagegate/{app}/{place}": "success" for app in APPS for place in ("staging", "prod")
    }


def test_a_red_gate_of_one_app_leaves_the_other_green(world: Monorepo) -> None:
    old = world.commit
    world.release({"web": "1.2.0", "pay": "2.1.0"})
    for app, version in (("web", "1.2.0"), ("pay", "2.1.0")):
        assert world.step("promote-pr", app, environment="staging", version=version)["reason"] == "committed"
    world.images.image("v1.2.0", "something else", "acme/web")  # somebody pushes over the tag
    assert done(world.gate("pay", "staging")) == ("0", "passed")
    outputs = world.gate("web", "staging")
    assert outputs["code"] == "1", outputs
    assert gates(world) == {"stagegate/web/staging": "failure", "stagegate/pay/staging": "success"}
    assert world.step("promote-pr", "web", environment="prod")["reason"] in ("no-evidence", "no-difference")
    outputs = world.step("promote-pr", "pay", environment="prod")
    assert (*done(outputs), outputs["version"]) == ("0", "proposed", "2.1.0")
    assert {state for state, _ in world.statuses(old).values()} == {"success"}
