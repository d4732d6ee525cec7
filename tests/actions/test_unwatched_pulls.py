"""pin-guard of a pull request that touches no watched path: two requests, whatever else is down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stagegate.actions import pin_guard
from stagegate.clients import hub
from stagegate.runner.boundary import entrypoint
from tests.actions.test_pin_guard import PROD, RIGHTS, propose, status, to
from tests.promotion.shop_world import REPOSITORY, Shop


@pytest.fixture(autouse=True)
def shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEGATE_CACHE", str(tmp_path / "shared"))


def guard(world: Shop, pull: hub.Pull, action: str = "opened") -> tuple[int, list[str]]:
    """One step for an event of a pull request, as GitHub sends it; its exit code and the requests it made."""
    event = {
        "action": action,
        "pull_request": {
            "number": pull.number,
            "state": "open",
            "html_url": pull.url,
            "head": {"sha": pull.head_sha, "ref": pull.head_ref},
            "base": {"ref": pull.base_ref, "repo": {"default_branch": "main"}},
        },
    }
    (world.folder / "stagegate.yaml").unlink(missing_ok=True)
    (world.folder / "event.json").write_text(json.dumps(event))
    token = world.forge.token("", "actions", repositories=[REPOSITORY], permissions=RIGHTS)
    environ = world.environ(token=token) | {"GITHUB_EVENT_PATH": str(world.folder / "event.json")}
    since = len(world.forge.calls)
    code = entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ)
    return code, [f"{call.method} {call.path}" for call in world.forge.calls[since:]]


def warm(world: Shop) -> None:
    """The first pull request after a change of the default branch is judged in full, and keeps the paths."""
    pull = propose(world, {"docs/first.md": lambda _: "first\n"}, branch="first")
    code, calls = guard(world, pull)
    assert code == 0
    assert len(calls) > 2


def test_the_second_one_ends_after_two_requests_although_all_else_is_down(world: Shop) -> None:
    warm(world)
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    world.forge.fail("POST", "/graphql", None, 500)
    world.forge.fail("GET", "/(activity|deployments|git|pulls).*", None, 500)
    code, calls = guard(world, pull)
    world.forge.heal()
    assert code == 0
    assert [call.split(" ")[0] for call in calls] == ["GET", "POST"], calls
    assert status(world, pull.head_sha)[0] == "success"


@pytest.mark.parametrize("path", [PROD, "deploy/values/prod.yaml", "deploy/new.yaml", "stagegate.yaml"])
def test_a_watched_path_is_judged_in_full(world: Shop, path: str) -> None:
    warm(world)
    pull = propose(world, {path: lambda text: to("1.1.0")(text) + "# more\n"})
    _, calls = guard(world, pull)
    assert len(calls) > 2


def test_a_pin_that_is_renamed_away_is_judged_in_full(world: Shop) -> None:
    warm(world)
    text = world.pins("prod")
    pull = propose(world, {PROD: lambda _: "", "docs/prod.yaml": lambda _: text})
    _, calls = guard(world, pull)
    assert len(calls) > 2


def test_a_new_default_branch_and_another_event_are_judged_in_full(world: Shop) -> None:
    warm(world)
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    assert len(guard(world, pull, "labeled")[1]) > 2
    world.repo.seed({"docs/second.md": "second\n"})
    assert len(guard(world, pull)[1]) > 2


def test_a_list_that_github_may_have_cut_is_judged_in_full(world: Shop) -> None:
    warm(world)
    pull = propose(world, {f"docs/{n}.md": lambda _: "x\n" for n in range(300)})
    assert len(guard(world, pull)[1]) > 2
