"""The release that brought each commit of a promotion, and the gates of that release; each commit once, merges too."""

from __future__ import annotations

import msgspec

from stagegate.clients.hub import ACTIONS_BOT, ReleaseTag, Status
from stagegate.model import Actor
from stagegate.proposal import change_roads

AT = "2026-01-05T10:00:00Z"
STRANGER = Actor(kind="User", id=9, login="octo-bad")


class Entry(msgspec.Struct, frozen=True):
    parents: tuple[str, ...]


def status(context: str, state: str = "success", creator: Actor = ACTIONS_BOT) -> Status:
    return Status(
        context=context,
        state=state,
        description="",
        target_url="https://x.example/7",
        creator=creator,
        created_at=AT,
    )


def test_each_commit_belongs_to_the_first_release_that_contains_it() -> None:
    log = {
        "a": Entry(("base",)),
        "side": Entry(("base",)),
        "b": Entry(("a",)),
        "merge": Entry(("b", "side")),
        "c": Entry(("merge",)),
    }
    tags = [
        ReleaseTag(
            name="v1.2.0",
            commit="c",
            at=AT,
            statuses=(
                status("stagegate/shop/release/built"),
                status("stagegate/shop/staging"),
                status("stagegate/shop/prod", "pending"),
                status("stagegate/shop/canary", creator=STRANGER),
                status("stagegate/other/prod"),
            ),
        ),
        ReleaseTag(name="v1.1.0", commit="b", at=AT, statuses=(status("stagegate/shop/staging", "failure"),)),
        ReleaseTag(name="v0.9.0", commit="elsewhere", at=AT),
    ]
    roads = change_roads.releases(
        log,
        tags,
        "shop",
        ["staging", "canary", "prod"],
        [ACTIONS_BOT],
        prefix="v",
        code_url="https://x.example/shop",
    )
    assert [(road.version, road.commits) for road in roads] == [
        ("1.1.0", ("a", "b")),
        ("1.2.0", ("side", "merge", "c")),
    ]
    first, second = ([(one.where, one.state) for one in road.passages] for road in roads)
    assert first == [("tagged", ""), ("staging", "failed")]
    assert second == [("tagged", ""), ("built", ""), ("staging", "passed")], (
        "only verdicts, and only accepted ones"
    )
    assert roads[0].url == "https://x.example/shop/releases/tag/v1.1.0"
