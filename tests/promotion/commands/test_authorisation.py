"""Whether the command of a comment is carried out: every single doubt refuses it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stagegate.clients import hub
from stagegate.comment import authorise
from stagegate.comment.command import Command
from stagegate.comment.event import CommentEvent
from stagegate.comment.parse import parse as parse_command
from stagegate.comment.read import Thread
from stagegate.errors import Stop
from stagegate.model import Actor
from stagegate.promotion.apps import App
from stagegate.settings import parse

DEV = Actor(kind="User", id=7, login="octo-dev")
AT = "2026-01-05T12:00:00Z"
SHOP = App(
    config="stagegate.yaml",
    settings=parse(b"app: shop\nenvironments: [{name: staging}, {name: prod, after: [staging]}]\n", "x"),
)
ASKED = CommentEvent(
    action="created", comment=1, number=5, body="/promote prod", author=DEV, is_pull=True, is_open=True
)
COMMENT = hub.Comment(id=1, body="/promote prod", author=DEV, created_at=AT, updated_at=AT)
PULL = hub.Pull(
    number=5, node_id="x", url="http://127.0.0.1/acme/shop/pull/5", title="", body="", state="open", merged=False,
    merge_commit="", draft=False, head_ref="stagegate/promote/shop/prod", head_sha="a" * 40, head_repository="acme/shop",
    base_ref="main", base_sha="b" * 40, author=None, labels=(), mergeable=None, auto_merge=False,
)  # fmt: skip
SCENE = Thread(
    repository="acme/shop", comment=COMMENT, permission="write", pull=PULL, head_at="2026-01-05T11:59:59Z"
)


def judge(asked: CommentEvent, scene: Thread) -> str:
    """Run all steps of authorisation; the head that the command is bound to."""
    command = parse_command(asked.body)
    authorise.check(asked, scene)
    authorise.permit(asked, scene, command, [SHOP])
    return authorise.bound(scene, [SHOP], command)


def changed(value: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(value, **changes)


def test_with_no_doubt_the_head_is_bound() -> None:
    assert judge(ASKED, SCENE) == PULL.head_sha
    elsewhere = changed(SCENE, pull=changed(PULL, head_ref="feature"), head_at="2026-01-05T13:00:00Z")
    assert judge(ASKED, elsewhere) == ""


@pytest.mark.parametrize(
    ("asked", "scene", "reason"),
    [
        ({"author": None}, {"permission": "none"}, "not-authorised"),
        ({"author": changed(DEV, id=8)}, {}, "not-authorised"),
        ({"author": changed(DEV, login="octo-dev2")}, {"permission": "read"}, "not-authorised"),
        ({"body": "/promote staging"}, {}, "not-authorised"),
        ({"is_open": False}, {}, "not-authorised"),
        ({}, {"comment": None}, "not-authorised"),
        ({}, {"comment": changed(COMMENT, author=None)}, "not-authorised"),
        ({}, {"comment": changed(COMMENT, body="/promote prod 1.2.0")}, "not-authorised"),
        ({}, {"comment": changed(COMMENT, updated_at="2026-01-05T12:00:01Z")}, "not-authorised"),
        ({}, {"permission": "none"}, "not-authorised"),
        ({}, {"permission": "read"}, "not-authorised"),
        ({}, {"permission": "triage"}, "not-authorised"),
        ({}, {"permission": ""}, "not-authorised"),
        ({}, {"permission": "owner"}, "not-authorised"),
        ({}, {"pull": None}, "not-authorised"),
        ({}, {"pull": changed(PULL, state="closed")}, "not-authorised"),
        ({}, {"pull": changed(PULL, head_repository="mallory/shop")}, "not-authorised"),
        ({}, {"pull": changed(PULL, head_repository="")}, "not-authorised"),
        ({}, {"head_at": "2026-01-05T12:00:01Z"}, "stale-base"),
        ({}, {"head_at": ""}, "stale-base"),
    ],
)
def test_every_single_doubt_refuses_the_command(
    asked: dict[str, Any], scene: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Stop) as caught:
        judge(changed(ASKED, **asked), changed(SCENE, **scene))
    assert caught.value.reason == reason


def test_a_command_for_several_apps_needs_the_strongest_permission() -> None:
    strict = parse(b"app: pay\nenvironments: [{name: prod}]\ncommands: {hold: admin}\n", "x")
    command = Command(name="hold", app="all", environment="prod", reason="moving")
    assert authorise.least([SHOP], command) == "write"
    assert authorise.least([SHOP, App(config="y", settings=strict)], command) == "admin"


@pytest.mark.parametrize("kind", ["Organization", "Mannequin"])
def test_only_people_and_bots_write_commands(kind: Any) -> None:
    assert authorise.ignored(changed(ASKED, author=changed(DEV, kind=kind)))
    assert not authorise.ignored(ASKED)


def test_a_bot_needs_the_name_in_the_policy_of_every_app_that_its_command_is_about() -> None:
    bot = Actor(kind="Bot", id=9, login="Release-Bot[bot]")
    text = b"app: pay\nenvironments: [{name: prod}]\ncommands: {bots: ['release-bot[bot]']}\n"
    pay = App(config="pay.yaml", settings=parse(text, "pay.yaml"))
    asked, scene = changed(ASKED, author=bot), changed(SCENE, permission="none")
    assert authorise.ignored_bot(asked, [SHOP])
    assert not authorise.ignored_bot(asked, [SHOP, pay])
    command = Command(name="override", app="all", environment="prod", reason="moving")
    authorise.permit(asked, scene, command, [pay])
    for login in ("Release-Bot[bot]", "mallory[bot]"):
        repeated = changed(ASKED, repeated_by=login)
        with pytest.raises(Stop, match=r"commands\.bots"):
            authorise.permit(repeated, changed(SCENE, permission="admin"), command, [pay, SHOP])
    with pytest.raises(Stop, match=r"commands\.bots"):
        authorise.permit(asked, scene, command, [pay, SHOP])
