"""Rule `checks`: statuses and attestations of others on the release; what is missing is unknown, never passed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate.actions import pin_guard
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import REPOSITORY, Shop, shop
from tests.promotion.steps import promote_pr

PROD = "promotion: {reviewers: [octo-lead], labels: [stagegate]}"
SCAN = "[{status: security/scan, of: release}]"
SIGNED = "[{attestation: slsa-provenance}]"


@pytest.fixture
def world(tmp_path: Path, host: str, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """1.1.0 passed staging; prod requires what the parameter says."""
    with shop(tmp_path, host, changes={PROD: f"promotion: {{require: {request.param}}}"}) as made:
        made.seed_pin("staging", "1.1.0")
        made.passed("1.1.0")
        yield made


def run(world: Shop, **inputs: str) -> tuple[int, str]:
    """One step of promote-pr; its exit code and reason."""
    return promote_pr(world.environ(**inputs)), world.outputs()["reason"]


def scanned(world: Shop, state: str, login: str = "octo-dev") -> None:
    """Another tool writes its status on the release's commit."""
    world.hub(world.forge.token(login)).set_status(world.commits["1.1.0"], "security/scan", state, state)


def pins(world: Shop) -> tuple[str, str]:
    """State and description of the status of the open proposal."""
    newest = world.hub().statuses(world.hub().pulls()[0].head_sha)[0]
    return newest.state, newest.description


def tool(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> Path:
    """A program of this name in PATH that records its arguments."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    program = place / name
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {place}/said\n{script}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return place / "said"


@pytest.mark.parametrize("world", [SCAN], indirect=True)
def test_a_missing_status_is_unknown_and_one_that_passed_allows_the_promotion(world: Shop) -> None:
    assert run(world, environment="prod") == (3, "unknown-state")
    assert "security/scan: commit" in world.report()["message"]["why"]
    assert world.hub().pulls() == []
    scanned(world, "pending")
    assert run(world, environment="prod") == (0, "proposed")
    assert pins(world)[0] == "pending"
    scanned(world, "success")
    assert run(world, mode="evaluate")[0] == 0
    assert pins(world)[0] == "success"
    scanned(world, "failure")
    run(world, mode="evaluate")
    assert pins(world)[0] == "failure"
    assert "security/scan: failure by octo-dev" in pins(world)[1]


@pytest.mark.parametrize("world", [SCAN], indirect=True)
def test_a_check_run_of_that_name_counts_where_there_is_no_status(world: Shop) -> None:
    def checked(conclusion: str | None, app: str = "scanner") -> None:
        world.forge.check_run(REPOSITORY, world.commits["1.1.0"], "security/scan", app, conclusion)

    checked("skipped")
    assert run(world, environment="prod") == (3, "unknown-state")
    assert "check run skipped by scanner[bot]" in world.report()["message"]["why"]
    checked(None)
    assert run(world, environment="prod") == (0, "proposed")
    assert pins(world)[0] == "pending"
    for conclusion, app, state in (("success", "scanner", "success"), ("failure", "other", "failure")):
        checked(conclusion, app)
        run(world, mode="evaluate")
        assert pins(world)[0] == state, pins(world)
    scanned(world, "success")
    run(world, mode="evaluate")
    assert pins(world)[0] == "success", "a status of that name is read first"


@pytest.mark.parametrize("world", ["[{status: security/scan, by: 'scanner[bot]'}]"], indirect=True)
def test_only_the_check_run_of_the_named_app_counts(world: Shop) -> None:
    world.forge.user("scanner[bot]", "Bot")
    world.forge.check_run(REPOSITORY, world.commits["1.1.0"], "security/scan", "other", "success")
    assert run(world, environment="prod") == (3, "unknown-state")
    assert "nor a check run of this name by scanner[bot]" in world.report()["message"]["why"]
    world.forge.check_run(REPOSITORY, world.commits["1.1.0"], "security/scan", "scanner", "success")
    assert run(world, environment="prod") == (0, "proposed")


@pytest.mark.parametrize("world", [SCAN], indirect=True)
def test_a_failed_status_refuses_and_an_override_sets_it_aside(world: Shop) -> None:
    scanned(world, "error")
    assert run(world, environment="prod") == (1, "no-evidence")
    place = {"environment": "prod", "version": "1.1.0"}
    assert run(world, mode="override", **place, rules="checks", reason="a false alarm") == (0, "marked")
    assert run(world, **place) == (0, "proposed")


@pytest.mark.parametrize("world", ["[{status: security/scan, by: octo-lead}]"], indirect=True)
def test_only_the_named_account_counts(world: Shop) -> None:
    scanned(world, "success", "octo-dev")
    assert run(world, environment="prod") == (3, "unknown-state")
    scanned(world, "success", "octo-lead")
    assert run(world, environment="prod") == (0, "proposed")


@pytest.mark.parametrize("world", [SIGNED], indirect=True)
def test_an_attestation_is_verified_by_gh_and_unknown_without_it(
    world: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not has(p)))
    assert run(world, environment="prod") == (3, "unknown-state")
    assert "neither gh nor cosign is installed" in world.report()["message"]["why"]
    said = tool(tmp_path, monkeypatch, "gh", 'echo "no attestations found" >&2; exit 1')
    assert run(world, environment="prod") == (3, "unknown-state")
    assert "no attestations found" in world.report()["message"]["why"]
    said.unlink()
    tool(tmp_path, monkeypatch, "gh", '[ -n "$GH_TOKEN" ]')
    assert run(world, environment="prod") == (0, "proposed")
    words = said.read_text()
    assert f"oci://{world.host}/acme/shop@{world.digests['1.1.0']} --repo acme/shop" in words
    assert "--predicate-type https://slsa.dev/provenance/v1" in words


@pytest.mark.parametrize("world", [SIGNED], indirect=True)
def test_cosign_verifies_where_gh_is_missing(
    world: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not has(p)))
    said = tool(tmp_path, monkeypatch, "cosign", "exit 0")
    assert run(world, environment="prod") == (0, "proposed")
    assert f"/acme/shop@{world.digests['1.1.0']} --type" in said.read_text()


def has(folder: str) -> bool:
    return any((Path(folder) / name).exists() for name in ("gh", "cosign"))


@pytest.mark.parametrize("world", [SCAN], indirect=True)
def test_pin_guard_requires_the_same_checks_for_a_pin_changed_by_hand(world: Shop) -> None:
    person = world.hub(world.forge.token("octo-dev"))
    head = person.head("main") or ""
    person.create_ref("refs/heads/mine", head)
    edited = world.pins("prod").replace("1.0.0", "1.1.0").encode()
    person.create_commit("mine", head, "feat: mine", "", {"deploy/prod.yaml": edited})
    pull = person.open_pull("mine", "", "mine", "main")
    assert pull is not None
    environ = world.environ(pull_request=str(pull.number))
    for state, expected in (("failure", "failure"), ("success", "success")):
        scanned(world, state)
        entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ)
        found = [one for one in world.hub().statuses(pull.head_sha) if one.context == "stagegate/pins"]
        assert found[0].state == expected, found[0].description
