"""A repeated run needs the permission of the person who repeats it, and does nothing twice."""

from __future__ import annotations

import json
from typing import Any

from stagegate.actions import pr_command
from stagegate.runner.boundary import entrypoint
from tests.actions.test_pr_command import answer, answers, ask, comment, issue, ready
from tests.promotion.shop_world import Shop
from tests.promotion.steps import promote_pr

HOLD = "refs/heads/stagegate/hold/shop/prod"


def again(actor: str, by: str) -> dict[str, str]:
    """The variables of a second attempt."""
    return {"GITHUB_ACTOR": actor, "GITHUB_TRIGGERING_ACTOR": by, "GITHUB_RUN_ATTEMPT": "2"}


def step(world: Shop, runner: dict[str, str], **inputs: str) -> tuple[int, str]:
    """promote-pr by hand."""
    return promote_pr(world.environ(**inputs) | runner), world.outputs()["reason"]


def obey(world: Shop, event: dict[str, Any], runner: dict[str, str]) -> tuple[int, str]:
    """pr-command on a comment."""
    (world.folder / "event.json").write_text(json.dumps(event))
    path = str(world.folder / "event.json")
    environ = world.environ() | {"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_EVENT_PATH": path} | runner
    code = entrypoint("pr-command", pr_command.PrCommand, pr_command.main, argv=[], environ=environ)
    return code, world.outputs()["reason"]


def mark(world: Shop) -> dict[str, Any]:
    return dict(json.loads(world.repo.read("stagegate/hold/shop/prod", "mark.json")))


def test_a_repeated_run_has_only_the_permissions_of_the_person_who_repeats_it(world: Shop) -> None:
    step(world, {}, mode="hold", environment="prod", reason="moving")
    for people in (("octo-lead", "octo-dev"), ("octo-dev", "octo-lead")):
        assert step(world, again(*people), mode="unhold", environment="prod") == (1, "not-authorised")
        assert "removed" not in mark(world) or mark(world)["removed"] is None
    assert step(world, again("octo-lead", "octo-lead"), mode="unhold", environment="prod") == (0, "unmarked")


def test_a_mark_of_a_repeated_run_belongs_to_the_person_who_repeated_it(world: Shop) -> None:
    runner = again("octo-dev", "octo-lead")
    assert step(world, runner, mode="hold", environment="prod", reason="moving") == (0, "marked")
    assert mark(world)["owner"] == "octo-lead"


def test_only_a_person_who_may_give_a_command_may_repeat_it(world: Shop) -> None:
    ready(world)
    number = issue(world)
    event = comment(world, "octo-lead", number, "/ban 1.1.0 it loses orders")
    world.forge.fail("POST", "/git/commits$", None, 500)
    assert obey(world, event, {"GITHUB_ACTOR": "octo-lead"})[0] == 3
    world.forge.heal()
    assert obey(world, event, again("octo-lead", "octo-dev")) == (1, "not-authorised")
    assert "octo-dev has no permission" in answer(world, number)
    assert not [ref for ref in world.hub().refs("refs/heads/stagegate/") if "/ban/" in ref]


def test_a_command_whose_reply_was_deleted_is_not_carried_out_again(world: Shop) -> None:
    step(world, {}, mode="hold", environment="prod", reason="moving")
    number = issue(world)
    event = comment(world, "octo-lead", number, "/unhold prod")
    assert obey(world, event, {"GITHUB_ACTOR": "octo-lead"}) == (0, "unmarked")
    (ours,) = [one for one in world.hub().comments(number) if one.author and one.author.kind == "Bot"]
    step(world, {}, mode="hold", environment="prod", reason="moving again")
    ask(world, "octo-dev", "DELETE", f"/issues/comments/{ours.id}")
    for by in ("octo-dev", "octo-lead"):
        assert obey(world, event, again("octo-lead", by))[0] in (0, 1)
        assert mark(world)["removed"] is None
    assert "was started again" in answer(world, number)


def test_a_second_attempt_completes_an_interrupted_command(world: Shop) -> None:
    ready(world)
    number = issue(world)
    event = comment(world, "octo-dev", number, "/promote prod")
    world.forge.fail("POST", "/pulls$", None, 500)
    assert obey(world, event, {"GITHUB_ACTOR": "octo-dev"})[0] == 3
    world.forge.heal()
    assert obey(world, event, again("octo-dev", "octo-dev")) == (0, "proposed")
    assert len(world.hub().pulls()) == 1
    assert len(answers(world, number)) == 1
