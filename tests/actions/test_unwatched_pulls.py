"""pin-guard needs two requests for a pull request that touches no watched path, even when all else is down."""

from __future__ import annotations

import json

import pytest

from stagegate.actions import pin_guard
from stagegate.clients import hub
from stagegate.runner.boundary import entrypoint
from tests.actions.test_pin_guard import PROD, RIGHTS, propose, status, to
from tests.promotion.shop_world import REPOSITORY, SETTINGS, Shop

ELSE = r"^(?!/repos/[^/]+/[^/]+/(compare|statuses)/|/[^/]+/[^/]+\.git/)"  # all but two routes of the API, and Git


def guard(
    world: Shop, pull: hub.Pull, action: str = "opened", **inputs: str
) -> tuple[int, list[tuple[str, str]]]:
    """One step for an event of a pull request, as GitHub sends it, without files of an earlier job.

    Its exit code and the requests it made to the API.
    """
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
    environ = world.environ(token=token, pins_token=token, **inputs) | {
        "GITHUB_EVENT_PATH": str(world.folder / "event.json")
    }
    since = len(world.forge.calls)
    code = entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ)
    made = [(call.method, call.path) for call in world.forge.calls[since:]]
    return code, [one for one in made if ".git/" not in one[1]]


def test_an_unwatched_pull_request_needs_two_requests_even_if_all_else_is_down(world: Shop) -> None:
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    world.forge.fail("*", ELSE, None, 500)
    code, calls = guard(world, pull)
    world.forge.heal()
    assert code == 0
    assert [method for method, _ in calls] == ["GET", "POST"], calls
    assert status(world, pull.head_sha)[0] == "success"


def test_the_app_writes_the_status_where_only_the_app_counts(world: Shop) -> None:
    app = world.forge.app("stagegate-bot", {"contents": "read", "statuses": "write"})
    settings = SETTINGS.format(host=world.host, more="trust: {level: protected, app: stagegate-bot}\n")
    world.repo.seed({"stagegate.yaml": settings})
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    world.forge.fail("*", "/graphql|/(activity|deployments|pulls)", None, 500)
    code, calls = guard(world, pull, app_id=str(app.id), app_key=app.private_key)
    assert code == 0
    assert len(calls) == 4, calls  # two of them make its token
    assert guard(world, pull)[0] != 0, "without the App nothing is written that counts"


def test_folders_that_jobs_share_save_the_fetch(world: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGEGATE_CACHE", str(world.folder / "shared"))
    guard(world, propose(world, {"docs/first.md": lambda _: "first\n"}, branch="first"))
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    world.forge.fail("*", ELSE.replace(r"|/[^/]+/[^/]+\.git/", ""), None, 500)
    code, calls = guard(world, pull)
    assert (code, [method for method, _ in calls]) == (0, ["GET", "POST"])


def test_without_git_it_is_judged_by_the_api(world: Shop) -> None:
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    world.forge.fail("*", r"\.git/", None, 500)
    code, calls = guard(world, pull)
    assert code == 0
    assert len(calls) > 2
    assert status(world, pull.head_sha)[0] == "success"


@pytest.mark.parametrize("path", [PROD, "deploy/values/prod.yaml", "deploy/new.yaml", "stagegate.yaml"])
def test_a_watched_path_is_judged_in_full(world: Shop, path: str) -> None:
    pull = propose(world, {path: lambda text: to("1.1.0")(text) + "# more\n"})
    _, calls = guard(world, pull)
    assert len(calls) > 2


def test_a_pin_that_is_renamed_away_is_judged_in_full(world: Shop) -> None:
    text = world.pins("prod")
    pull = propose(world, {PROD: lambda _: "", "docs/prod.yaml": lambda _: text})
    _, calls = guard(world, pull)
    assert len(calls) > 2


def test_another_event_is_judged_in_full(world: Shop) -> None:
    pull = propose(world, {"README.md": lambda text: text + "more\n"})
    assert len(guard(world, pull, "labeled")[1]) > 2


def test_the_paths_are_those_of_the_default_branch_now(world: Shop) -> None:
    pull = propose(world, {"conf/limits.yaml": lambda _: "replicas: 3\n"})
    assert len(guard(world, pull)[1]) == 2
    named = world.pins("prod").replace("prod.yaml]", "prod.yaml, $values/conf/limits.yaml]")
    world.repo.seed({PROD: named, "conf/limits.yaml": "replicas: 2\n"})
    assert len(guard(world, pull, "synchronize")[1]) > 2


def test_a_list_that_github_may_have_cut_is_judged_in_full(world: Shop) -> None:
    pull = propose(world, {f"docs/{n}.md": lambda _: "x\n" for n in range(300)})
    assert len(guard(world, pull)[1]) > 2
