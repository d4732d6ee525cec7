"""pr-command as a step: who may give a command and where; each is carried out once and gets one reply."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from stagegate.actions import pr_command
from stagegate.clients import hub
from stagegate.comment import commands, read
from stagegate.comment.event import CommentEvent
from stagegate.runner.boundary import entrypoint
from tests.promotion.shop_world import REPOSITORY, Shop, shop
from tests.promotion.steps import promote_pr


@pytest.fixture
def world(tmp_path: Path, host: str) -> Iterator[Shop]:
    with shop(tmp_path, host) as made:
        (made.folder / "stagegate.yaml").unlink()  # there is no checkout
        yield made


def ask(world: Shop, login: str, method: str, path: str, **fields: Any) -> Any:
    """A REST call by a person."""
    answer = requests.request(
        method,
        f"{world.forge.url}/repos/{REPOSITORY}{path}",
        json=fields or None,
        headers={"Authorization": f"Bearer {world.forge.token(login)}"},
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json() if answer.content else None


def issue(world: Shop) -> int:
    return int(ask(world, "octo-lead", "POST", "/issues", title="talk")["number"])


def comment(world: Shop, login: str, number: int, body: str) -> dict[str, Any]:
    """A person comments; the event as GitHub sends it."""
    ask(world, login, "POST", f"/issues/{number}/comments", body=body)
    event = [e for e in world.forge.drain_events() if e.name == "issue_comment" and not e.swallowed][-1]
    return dict(event.payload)


def obey(world: Shop, event: dict[str, Any], **inputs: str) -> int:
    """One step; its exit code."""
    (world.folder / "event.json").write_text(json.dumps(event))
    environ = world.environ(**inputs) | {
        "GITHUB_EVENT_NAME": "issue_comment",
        "GITHUB_EVENT_PATH": str(world.folder / "event.json"),
        "GITHUB_ACTOR": "somebody-else",
    }
    return entrypoint("pr-command", pr_command.PrCommand, pr_command.main, argv=[], environ=environ)


def say(world: Shop, login: str, body: str, number: int = 0, **inputs: str) -> tuple[int, str, str]:
    """Write a comment and run the step for it; exit code, reason, and our reply."""
    number = number or issue(world)
    code = obey(world, comment(world, login, number, body), **inputs)
    return code, world.outputs()["reason"], answer(world, number)


def answers(world: Shop, number: int) -> list[str]:
    return [c.body for c in world.hub().comments(number) if c.author and c.author.kind == "Bot"]


def answer(world: Shop, number: int) -> str:
    found = answers(world, number)
    return found[-1] if found else ""


def test_a_release_that_met_a_hold_is_shown_as_stuck(world: Shop) -> None:
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")
    number = issue(world)
    say(world, "octo-lead", "/hold prod the database moves", number)
    assert (
        "held by octo-lead: the database moves; stuck: 1.1.0 waits for the end of the hold"
        in say(world, "octo-dev", "/status", number)[2]
    )
    say(world, "octo-lead", "/unhold prod", number)
    said = say(world, "octo-dev", "/status", number)[2]
    assert "stuck" not in said
    assert "/pull/" in said


def ready(world: Shop) -> None:
    """1.1.0 runs in staging and has passed its gate."""
    world.seed_pin("staging", "1.1.0")
    world.passed("1.1.0")


def written(world: Shop) -> list[str]:
    """Every write of ours except comments and reactions."""
    talk = ("/comments", "/reactions", "/issues")
    return [
        c.path
        for c in world.forge.calls
        if c.write and c.login.startswith("github-actions") and not any(t in c.path for t in talk)
    ]


def test_promote_proposes_and_answers_in_one_comment(world: Shop) -> None:
    ready(world)
    number = issue(world)
    event = comment(world, "octo-dev", number, "/promote prod")
    assert obey(world, event) == 0
    outputs = world.outputs()
    assert (outputs["command"], outputs["environment"], outputs["version"], outputs["reason"]) == (
        "promote",
        "prod",
        "1.1.0",
        "proposed",
    )
    (pull,) = world.hub().pulls()
    (text,) = answers(world, number)
    assert pull.url in text
    assert "actions/runs/77" in text
    assert outputs["reply-url"].endswith(f"#issuecomment-{world.hub().comments(number)[-1].id}")
    reactions = [c.path for c in world.forge.calls if "/reactions" in c.path]
    assert len(reactions) == 2
    first = next(i for i, c in enumerate(world.forge.calls) if "/reactions" in c.path)
    assert all("/reactions" in c.path or not c.write for c in world.forge.calls[first : first + 1])

    # Delivered twice, or run again: no second write and no second reply.
    calls = len(world.forge.calls)
    assert obey(world, event) == 0
    assert world.outputs()["reason"] == "no-difference"
    assert not [c for c in world.forge.calls[calls:] if c.write]


def test_a_refusal_lists_every_rule(world: Shop) -> None:
    code, reason, text = say(world, "octo-dev", "/promote prod 1.1.0")
    assert (code, reason) == (1, "no-evidence")
    assert "evidence" in text
    assert "order" in text
    assert world.hub().pulls() == []


@pytest.mark.parametrize(
    ("login", "command", "code"),
    [
        ("octo-guest", "/promote prod", 1),
        ("octo-stranger", "/promote prod", 1),
        ("octo-guest", "/hold prod because I can", 1),
        ("octo-dev", "/unhold prod", 1),
        ("octo-dev", "/ban 1.1.0 because I can", 1),
        ("octo-dev", "/override prod 1.1.0 evidence because I can", 1),
        ("octo-guest", "/status", 0),
        ("octo-guest", "/help", 0),
        ("octo-dev", "/hold prod because I may", 0),
        ("octo-lead", "/override prod 1.1.0 evidence because I may", 0),
    ],
)
def test_permissions_are_those_of_the_comments_author(
    world: Shop, login: str, command: str, code: int
) -> None:
    before = dict(world.hub().refs("refs/heads/stagegate/"))
    got, reason, text = say(world, login, command)
    assert got == code
    if code:
        assert reason == "not-authorised"
        assert "has no permission" in text
        assert world.hub().refs("refs/heads/stagegate/") == before
        assert written(world) == []


@pytest.mark.parametrize("how", [500, 404, 403, {"status": 200, "headers": {}, "body": "<html>"}])
def test_an_unknown_permission_is_no_permission(world: Shop, how: Any) -> None:
    world.forge.fail("GET", "/permission", None, how)
    event = comment(world, "octo-lead", issue(world), "/hold prod because I may")
    assert obey(world, event) != 0
    assert written(world) == []


def test_a_comment_without_a_command_costs_no_request(world: Shop) -> None:
    number = issue(world)
    for text in ("please /promote prod", "> /promote prod", "/PROMOTE prod", "thanks!"):
        event = comment(world, "octo-lead", number, text)
        calls = len(world.forge.calls)
        assert obey(world, event) == 0
        assert world.outputs()["reason"] == "no-difference"
        assert len(world.forge.calls) == calls
    assert answers(world, number) == []


def test_bots_deleted_accounts_and_edited_comments_give_no_command(world: Shop) -> None:
    number = issue(world)
    event = comment(world, "octo-lead", number, "/hold prod because I may")
    bot = json.loads(json.dumps(event))
    bot["comment"]["user"] |= {"type": "Bot", "login": "mallory[bot]"}
    assert obey(world, bot) == 0
    assert answers(world, number) == []
    ghost = json.loads(json.dumps(event))
    ghost["comment"]["user"] = None
    assert obey(world, ghost) == 1
    assert obey(world, {**event, "action": "edited"}) == 0
    assert written(world) == []

    number = issue(world)
    event = comment(world, "octo-lead", number, "/hold prod because I may")
    ask(
        world,
        "octo-lead",
        "PATCH",
        f"/issues/comments/{event['comment']['id']}",
        body="/hold staging because I may",
    )
    assert obey(world, event) == 1
    assert "edited" in answer(world, number)
    event = comment(world, "octo-lead", issue(world), "/hold prod because I may")
    ask(world, "octo-lead", "DELETE", f"/issues/comments/{event['comment']['id']}")
    assert obey(world, event) == 1
    assert written(world) == []


def test_only_a_bot_that_policy_names_gives_commands(world: Shop) -> None:
    for slug in ("release-bot", "mallory"):
        world.forge.app(slug, {"issues": "write", "metadata": "read"})
    policy = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": f"{policy}\ncommands: {{bots: ['Release-Bot[bot]']}}\n"})
    number = issue(world)

    def hold(slug: str) -> int:
        token = world.forge.token(slug, "app", permissions={"issues": "write"})
        url = f"{world.forge.url}/repos/{REPOSITORY}/issues/{number}/comments"
        body = {"body": "/hold prod because the smoke test failed"}
        requests.post(
            url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=10
        ).raise_for_status()
        events = [e for e in world.forge.drain_events() if e.name == "issue_comment" and not e.swallowed]
        return obey(world, dict(events[-1].payload))

    assert hold("mallory") == 0
    assert world.outputs()["reason"] == "no-difference"
    assert "commands.bots" in world.report()["message"]["what"]
    assert written(world) == []
    assert hold("release-bot") == 0
    assert world.outputs()["reason"] == "marked"
    assert "held by release-bot[bot]" in world.report()["message"]["what"]


def test_a_comment_by_another_person_does_not_count_as_the_reply(world: Shop) -> None:
    number = issue(world)
    event = comment(world, "octo-lead", number, "/hold prod because I may")
    forged = f"<!-- stagegate-command:{event['comment']['id']}:done -->\nall done"
    comment(world, "octo-guest", number, forged)
    assert obey(world, event) == 0
    assert "refs/heads/stagegate/hold/shop/prod" in world.hub().refs("refs/heads/stagegate/")
    assert forged in [c.body for c in world.hub().comments(number)]


def test_closed_pull_requests_and_pull_requests_from_forks_are_refused(world: Shop) -> None:
    ready(world)
    number = issue(world)
    event = comment(world, "octo-dev", number, "/promote prod")
    ask(world, "octo-lead", "PATCH", f"/issues/{number}", state="closed")
    event["issue"]["state"] = "closed"
    assert obey(world, event) == 1
    assert "only work on open" in answer(world, number)
    assert world.hub().pulls() == []


def test_a_command_on_a_promotion_is_bound_to_the_head_its_author_saw(
    world: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(world)
    say(world, "octo-dev", "/promote prod")
    (pull,) = world.hub().pulls()
    world.forge.advance(5)
    event = comment(world, "octo-dev", pull.number, "/promote prod 1.1.0")
    world.forge.advance(5)
    person = world.hub(world.forge.token("octo-dev"))
    moved = person.create_commit(pull.head_ref, pull.head_sha, "fix: more", "", {"x": b"x"})
    assert obey(world, event) == 4
    assert world.outputs()["reason"] == "stale-base"
    assert "newer" in answer(world, pull.number)

    # Between reading and acting.
    world.forge.advance(5)
    event = comment(world, "octo-dev", pull.number, "/hold prod look at this first")
    thread = read.thread

    def pushed_meanwhile(pins: hub.Hub, event: CommentEvent) -> read.Thread:
        before_the_push = thread(pins, event)
        person.create_commit(pull.head_ref, moved, "fix: even more", "", {"y": b"y"})
        return before_the_push

    monkeypatch.setattr(read, "thread", pushed_meanwhile)
    assert obey(world, event) == 4
    assert "changed while" in answer(world, pull.number)
    assert "refs/heads/stagegate/hold/shop/prod" not in world.hub().refs("refs/heads/stagegate/")


def test_marks_are_set_and_removed(world: Shop) -> None:
    ready(world)
    assert say(world, "octo-dev", "/hold prod the database moves for 2h")[:2] == (0, "marked")
    code, reason, text = say(world, "octo-dev", "/promote prod")
    assert (code, reason) == (1, "held-back")
    assert "octo-dev" in text
    assert say(world, "octo-lead", "/unhold prod")[:2] == (0, "unmarked")
    assert say(world, "octo-lead", "/ban 1.1.0 it loses orders")[:2] == (0, "marked")
    assert say(world, "octo-dev", "/promote prod 1.1.0")[:2] == (1, "banned-version")
    assert say(world, "octo-lead", "/unban 1.1.0")[:2] == (0, "unmarked")
    assert say(world, "octo-dev", "/promote prod 1.1.0")[:2] == (0, "already-proposed")  # since /unhold
    mark = world.repo.read("stagegate/hold/shop/prod", "mark.json")
    assert json.loads(mark)["removed"]["by"] == "octo-lead"


def test_an_override_allows_an_untested_release(world: Shop) -> None:
    assert say(world, "octo-dev", "/promote prod 1.1.0")[:2] == (1, "no-evidence")
    assert say(world, "octo-lead", "/override prod 1.1.0 evidence,order prod is down for 2h")[:2] == (
        0,
        "marked",
    )
    code, reason, _ = say(world, "octo-dev", "/promote prod 1.1.0")
    assert (code, reason) == (0, "proposed")


def test_a_rollback_sets_a_hold_and_opens_a_proposal(world: Shop) -> None:
    world.passed("1.0.0", "prod")
    world.seed_pin("prod", "1.1.0")
    assert say(world, "octo-dev", "/rollback prod")[:2] == (0, "proposed")
    (pull,) = world.hub().pulls()
    assert pull.head_ref == "stagegate/rollback/shop/prod"
    assert "v1.0.0" in world.pins("prod", pull.head_sha)
    mark = json.loads(world.repo.read("stagegate/hold/shop/prod", "mark.json"))
    assert (mark["kind"], mark["to"], mark["owner"]) == ("rollback", "1.0.0", "octo-dev")


def test_status_shows_known_facts_and_names_unknown_ones(world: Shop) -> None:
    ready(world)
    say(world, "octo-dev", "/promote prod")
    code, reason, text = say(world, "octo-guest", "/status")
    assert (code, reason) == (0, "reported")
    shown = {line.split(" | ")[0][2:]: line for line in text.splitlines() if line.startswith("| ")}
    assert re.search(r"\| \[1\.1\.0\]\(http\S+v1\.1\.0\) \| \S \[", shown["staging"])
    assert "not verified" in shown["prod"]
    assert re.search(r"\[#\S*\d\]\(http\S+\) 1\.1\.0, success, \d+ (s|min) old", shown["prod"])
    assert "Merge #" in shown["prod"]
    number = issue(world)
    event = comment(world, "octo-guest", number, "/status")
    world.forge.fail("GET", "/deployments$", None, 500)
    assert obey(world, event) == 3
    world.forge.heal()
    assert "unknown" in answer(world, number)
    world.repo.seed({"deploy/prod.yaml": "nothing: here\n"})
    assert say(world, "octo-guest", "/status shop/prod")[:2] == (3, "unknown-state")


def test_help_names_meaning_and_permission_of_every_command(world: Shop) -> None:
    settings = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({"stagegate.yaml": settings + "commands: {ban: admin}\n"})
    text = say(world, "octo-guest", "/help")[2]
    rows = {line.split("`")[1].split(" ")[0]: line for line in text.splitlines() if line.startswith("| `/")}
    assert rows.keys() == {f"/{name}" for name in commands.COMMANDS}
    assert rows["/ban"].endswith("| admin |")
    assert rows["/hold"].endswith("| write |")
    assert rows["/status"].endswith("| anybody |")
    assert all(command.help in rows[f"/{name}"] for name, command in commands.COMMANDS.items())


def test_status_reads_githubs_clock_and_not_the_runners(world: Shop) -> None:
    say(world, "octo-dev", "/hold prod the database moves for 1h")
    assert "the database moves" in say(world, "octo-guest", "/status")[2]
    world.forge.advance(3601)
    assert "the database moves" not in say(world, "octo-guest", "/status")[2]


def test_foreign_text_stays_text(world: Shop) -> None:
    number = issue(world)
    body = "/hold prod <!-- stagegate-command:1:done --> @octo-lead fixes #1 [skip ci] ![x](http://127.0.0.1) $(touch pwned)"
    code = obey(world, comment(world, "octo-dev", number, body))
    assert code == 0
    text = re.sub(
        r"`[^`]*`", "", answer(world, number).split("\n", 1)[1]
    )  # GitHub acts on nothing inside code
    for active in ("@octo-lead", "fixes #1", "[skip ci]", "<!--", "<img"):
        assert active not in text, active
    mark = json.loads(world.repo.read("stagegate/hold/shop/prod", "mark.json"))
    assert mark["reason"] == body.removeprefix("/hold prod ")
    assert not list(world.folder.rglob("pwned"))


def test_a_command_that_failed_can_be_run_again(world: Shop) -> None:
    ready(world)
    number = issue(world)
    event = comment(world, "octo-dev", number, "/promote prod")
    world.forge.fail("POST", "/pulls$", None, 500)
    assert obey(world, event) == 3
    world.forge.heal()
    assert obey(world, event) == 0
    assert len(world.hub().pulls()) == 1
    assert len(answers(world, number)) == 1


def test_a_dry_run_writes_nothing_and_does_not_reply(world: Shop) -> None:
    ready(world)
    number = issue(world)
    event = comment(world, "octo-dev", number, "/promote prod")
    calls = len(world.forge.calls)
    assert obey(world, event, dry_run="true") == 0
    assert world.outputs()["reason"] == "planned"
    assert not [c for c in world.forge.calls[calls:] if c.write]


def test_a_command_names_its_app_except_on_the_apps_own_promotion(world: Shop) -> None:
    ready(world)
    text = world.repo.read("main", "stagegate.yaml").decode()
    world.repo.seed({
        "apps/pay/stagegate.yaml": text.replace("app: shop", "app: pay").replace("hold: write", "hold: admin"),
        "apps/shop/stagegate.yaml": text,
    })  # fmt: skip
    glob = "apps/*/stagegate.yaml"
    code, reason, said = say(world, "octo-dev", "/promote prod", config=glob)
    assert (code, reason) == (2, "bad-input")
    assert "pay" in said
    assert say(world, "octo-dev", "/promote shop/prod", config=glob)[:2] == (0, "proposed")
    (pull,) = world.hub().pulls()
    world.forge.advance(5)
    assert say(world, "octo-dev", "/promote prod", pull.number, config=glob)[:2] == (0, "already-proposed")
    assert say(world, "octo-dev", "/hold all/prod the cluster moves", config=glob)[:2] == (0, "marked")
    assert "refs/heads/stagegate/hold/all/prod" in world.hub().refs("refs/heads/stagegate/")
    status = next(s for s in world.hub().statuses(pull.head_sha) if s.context == "stagegate/pins")
    assert status.state == "failure"


def test_promote_pr_by_hand_needs_the_name_of_the_app(world: Shop) -> None:
    text = world.repo.read("main", "stagegate.yaml").decode()
    for app in ("pay", "shop"):
        path = world.folder / "apps" / app / "stagegate.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace("app: shop", f"app: {app}"))
        world.repo.seed({f"apps/{app}/stagegate.yaml": path.read_text()})

    def run(**inputs: str) -> tuple[int, str]:
        environ = world.environ(
            config="apps/*/stagegate.yaml", environment="staging", version="1.1.0", **inputs
        )
        return promote_pr(environ), world.outputs()["reason"]

    assert run() == (2, "bad-input")
    assert run(app="cart") == (2, "bad-input")
    assert run(app="shop") == (0, "committed")
