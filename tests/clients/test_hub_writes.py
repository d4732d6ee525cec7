"""Every write can lose its response or be repeated: its result exists once, and nobody's work is overwritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stagegate.clients import hub
from stagegate.errors import Stop

from .hub_world import REPOSITORY, World, world

Deed = Callable[[World], object]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        made.repo.seed({"VERSION": "1.1.0\n"}, branch="next")
        yield made


def edit(shop: World) -> str:
    return shop.github.create_commit("main", shop.sha, "Move", "Stagegate-App: shop", {"VERSION": b"2.0.0\n"})


def mark(shop: World) -> bool:
    return shop.github.create_ref("refs/heads/stagegate/hold/shop/prod", shop.sha)


def record(shop: World) -> int:
    return shop.github.create_deployment(
        shop.sha, "stagegate:shop", "prod", {"schema": "x", "n": 1}, "d", True
    )


def state(shop: World) -> None:
    number = next(iter(shop.github.deployments("stagegate:shop"))).id
    shop.github.create_deployment_status(number, "success", "passed", "https://example.invalid/1")


def move(shop: World) -> None:
    tip = shop.github.head("next")
    assert tip is not None
    name = "refs/heads/stagegate/promote/shop/prod"
    shop.github.update_refs([hub.RefUpdate(name=name, before=hub.ZERO, after=tip)])


def propose(shop: World) -> hub.Pull:
    pull = shop.github.open_pull("Promote", "body", "next", "main")
    assert pull is not None
    return pull


def draft(shop: World) -> hub.ReleaseInfo:
    return shop.github.create_release("v1.0.0", "shop 1.0.0", "notes")


def attach(shop: World) -> hub.Asset:
    there = shop.github.release("v1.0.0")
    assert there is not None
    return shop.github.upload_asset(there, "shop-1.0.0.tgz", b"chart", "application/gzip")


class Case(NamedTuple):
    """A write, what must be done before it, which call fails, and how much of it there is afterwards."""

    deed: Deed
    before: tuple[Deed, ...]
    method: str
    path: str
    count: Callable[[World], int]


def refs(prefix: str) -> Callable[[World], int]:
    return lambda shop: len(shop.github.refs(prefix))


def said(shop: World) -> int:
    statuses = shop.github.statuses(shop.sha)
    return len({(status.context, status.state) for status in statuses})


DEEDS = {
    "commit": Case(edit, (), "POST", "#createCommitOnBranch", lambda s: len(s.github.history("main")) - 1),
    "ref": Case(mark, (), "POST", "/git/refs$", refs("refs/heads/stagegate/hold/")),
    "refs": Case(move, (), "POST", "#updateRefs", refs("refs/heads/stagegate/promote/")),
    "tag": Case(
        lambda s: s.github.create_tag("v1.0.0", s.sha, "shop 1.0.0"),
        (),
        "POST",
        "/git/refs$",
        refs("refs/tags/"),
    ),
    "status": Case(
        lambda s: s.github.set_status(s.sha, "stagegate/pins", "success", "fine"),
        (),
        "POST",
        "/statuses/",
        said,
    ),
    "deployment": Case(
        record, (), "POST", "/deployments$", lambda s: len(s.github.deployments("stagegate:shop"))
    ),
    "deployment status": Case(
        state,
        (record,),
        "POST",
        "/deployments/[0-9]+/statuses$",
        lambda s: len(s.github.deployments("stagegate:shop")[0].statuses),
    ),
    "pull request": Case(
        propose, (), "POST", "/pulls$", lambda s: len(s.github.pulls(head="next", state="all"))
    ),
    "comment": Case(
        lambda s: s.github.comment(1, "done"),
        (propose,),
        "POST",
        "/comments$",
        lambda s: len(s.github.comments(1)),
    ),
    "release": Case(draft, (), "POST", "/releases$", lambda s: len(s.github.releases())),
    "asset": Case(attach, (draft,), "POST", "/assets", lambda s: len(s.github.releases()[0].assets)),
}


@pytest.mark.parametrize("how", ["after", "reset", 502])
@pytest.mark.parametrize("what", DEEDS)
def test_a_lost_response_leads_to_one_result(shop: World, what: str, how: int | str) -> None:
    case = DEEDS[what]
    for earlier in case.before:
        earlier(shop)
    shop.forge.fail(case.method, case.path, 1, how)
    case.deed(shop)
    assert case.count(shop) == 1


@pytest.mark.parametrize("what", DEEDS)
def test_a_server_that_stays_down_is_exit_3_and_a_rerun_completes_the_write(shop: World, what: str) -> None:
    case = DEEDS[what]
    for earlier in case.before:
        earlier(shop)
    shop.forge.fail(case.method, case.path, None, 503)
    with pytest.raises(Stop) as caught:
        case.deed(shop)
    assert caught.value.verdict.exit_code == 3
    shop.forge.heal()
    case.deed(shop)
    assert case.count(shop) == 1


def test_a_stale_head_overwrites_nothing(shop: World) -> None:
    theirs = shop.repo.seed({"VERSION": "9.9.9\n"}, "Somebody else")
    with pytest.raises(hub.StaleHead) as caught:
        edit(shop)
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("stale-base", 4)
    assert shop.hub().head("main") == theirs

    shop.forge.fail("POST", "#createCommitOnBranch", 1, 502)
    with pytest.raises(hub.StaleHead):
        edit(shop)


def test_a_commit_is_ours_signed_and_exact(shop: World) -> None:
    content = b"\xef\xbb\xbfa: 1\r\n\xff"
    github = shop.github
    sha = github.create_commit("main", shop.sha, "Move", "", {"odd": content}, ["README.md"])
    seen = github.files(sha, ["odd", "README.md", "VERSION"])
    assert seen["odd"] is not None and seen["odd"].content == content
    assert seen["README.md"] is None and seen["VERSION"] is not None
    made = github.commit_info(sha)
    assert made is not None and made.verified and hub.ACTIONS_BOT.same(made.author)


def test_a_protected_branch_is_refused_with_its_own_reason(shop: World) -> None:
    shop.forge.protect(REPOSITORY, require_pull_request=True)
    with pytest.raises(Stop) as caught:
        edit(shop)
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("protected-branch", 2)
    assert "bypass list" in caught.value.next


def test_two_runs_race_for_one_tag(shop: World) -> None:
    first, second = shop.hub(), shop.hub()
    assert first.create_tag("v1.0.0", shop.sha, "one").annotated
    again = second.create_tag("v1.0.0", shop.sha, "two")
    assert again.message == "one"
    other = shop.repo.seed({"x": "y"})
    with pytest.raises(Stop) as caught:
        second.create_tag("v1.0.0", other, "three")
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("tag-taken", 4)
    assert shop.sha[:12] in caught.value.why and other[:12] in caught.value.why
    tag = second.tag("v1.0.0")
    assert tag is not None and tag.object_id not in ("", shop.sha), "an annotated tag is an object of its own"
    assert (tag.name, tag.target_commit, tag.message, tag.annotated) == ("v1.0.0", shop.sha, "one", True)
    assert second.tag("v1.0") is None


def test_a_ref_that_points_elsewhere_is_never_moved(shop: World) -> None:
    github = shop.github
    assert mark(shop) is True
    assert mark(shop) is False
    other = github.create_orphan_commit({"mark.json": b"{}"}, "hold")
    with pytest.raises(hub.StaleHead):
        github.create_ref("refs/heads/stagegate/hold/shop/prod", other)


def test_refs_move_together_or_not_at_all(shop: World) -> None:
    github = shop.github
    tip = github.head("next") or ""
    a, b = "refs/heads/a", "refs/heads/b"
    github.create_ref(a, shop.sha)
    with pytest.raises(hub.StaleHead) as caught:
        github.update_refs(
            [
                hub.RefUpdate(name=b, before=hub.ZERO, after=tip),
                hub.RefUpdate(name=a, before=tip, after=shop.sha),
            ]
        )
    assert a in caught.value.what
    assert github.head("b") is None
    github.update_refs(
        [
            hub.RefUpdate(name=b, before=hub.ZERO, after=tip),
            hub.RefUpdate(name=a, before=shop.sha, after=hub.ZERO),
        ]
    )
    assert (github.head("a"), github.head("b")) == (None, tip)


def test_a_status_is_written_only_when_it_changes(shop: World) -> None:
    github = shop.github
    say = github.set_status
    assert say(shop.sha, "stagegate/pins", "pending", "soaking", "https://example.invalid/1")
    assert not say(shop.sha, "stagegate/pins", "pending", "soaking", "https://example.invalid/1")
    assert say(shop.sha, "stagegate/pins", "pending", "soaking", "https://example.invalid/2")
    assert say(shop.sha, "stagegate/pins", "success", "x" * 300)
    assert not say(shop.sha, "stagegate/pins", "success", "x" * 300)
    assert len(github.statuses(shop.sha)[0].description) == 140
    shop.person().set_status(shop.sha, "stagegate/pins", "success", "x" * 300)
    assert say(shop.sha, "stagegate/pins", "success", "x" * 300)  # the newest status must be ours


def test_pull_requests_are_found_before_they_are_made(shop: World) -> None:
    github = shop.github
    first = github.open_pull("Promote", "body", "next", "main")
    again = github.open_pull("Promote again", "body", "next", "main")
    assert first is not None and again is not None and first.number == again.number
    assert (first.head_ref, first.base_ref, first.merged, first.auto_merge) == ("next", "main", False, False)
    github.update_pull(first.number, title="Promote 2")
    github.add_labels(first.number, ["stagegate"])
    refused = github.request_reviewers(first.number, ["octo-dev", "stranger"])
    assert [line.split(":")[0] for line in refused] == ["stranger"]
    seen = github.pull(first.number)
    assert seen is not None and (seen.title, seen.labels) == ("Promote 2", ("stagegate",))
    github.create_ref("refs/heads/same", shop.sha)
    assert github.open_pull("Empty", "", "same", "main") is None


def test_the_setting_that_forbids_pull_requests_is_named(shop: World) -> None:
    shop.forge.settings(REPOSITORY, actions_may_write_pull_requests=False)
    with pytest.raises(Stop) as caught:
        shop.hub().open_pull("Promote", "body", "next", "main")
    assert caught.value.reason == "missing-permission"
    assert "Settings > Actions" in caught.value.next


def test_a_merge_is_of_the_head_that_was_judged(shop: World) -> None:
    github, pull = shop.github, propose(shop)
    judged = pull.head_sha
    with pytest.raises(hub.StaleHead):
        github.merge(pull.number, shop.sha, "squash", "Promote", "")
    shop.forge.fail("PUT", "/merge$", 1, "base-modified")
    sha = github.merge(pull.number, judged, "squash", "Promote", "Stagegate-App: shop")
    assert github.head("main") == sha
    assert (
        github.merge(pull.number, judged, "squash", "Promote", "") == sha
    )  # the second time it is merged already
    merged = github.pull(pull.number)
    assert merged is not None and merged.merged and merged.merge_commit == sha


def test_a_merge_whose_response_was_lost_is_looked_up(shop: World) -> None:
    github, pull = shop.github, propose(shop)
    shop.forge.fail("PUT", "/merge$", 1, "after")
    sha = github.merge(pull.number, pull.head_sha, "merge", "Promote", "")
    assert github.head("main") == sha


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"merge_queue": True}, "queued"),
        ({"required_statuses": [("stagegate/pins", None)]}, "protected-branch"),
    ],
)
def test_merge_refusals_have_different_reasons(shop: World, rules: dict[str, object], reason: str) -> None:
    shop.forge.protect(REPOSITORY, **rules)  # type: ignore[arg-type]
    github, pull = shop.github, propose(shop)
    with pytest.raises(Stop) as caught:
        github.merge(pull.number, pull.head_sha, "squash", "Promote", "")
    assert caught.value.reason == reason


def test_a_review_has_its_head_and_its_author(shop: World) -> None:
    github, pull = shop.github, propose(shop)
    reviewer = shop.person()
    path = reviewer._c.path("pulls", pull.number, "reviews")
    reviewer._c.write("POST", path, {"event": "APPROVE", "body": "fine"}, "approve", "", dict)
    review = github.reviews(pull.number)[0]
    assert (review.state, review.commit, review.can_push) == ("APPROVED", pull.head_sha, True)
    assert review.author is not None and review.author.login == "octo-dev"
    github.dismiss_review(pull.number, review.id, "A newer version replaces this one.")
    assert github.reviews(pull.number)[0].state == "DISMISSED"


def test_comments_are_edited_in_place_and_reactions_never_stop_anything(shop: World) -> None:
    github, pull = shop.github, propose(shop)
    comment = github.comment(pull.number, "working")
    github.edit_comment(comment.id, "done")
    assert [c.body for c in github.comments(pull.number)] == ["done"]
    assert github.react(comment.id, "rocket") is True
    assert github.react(424242, "rocket") is False


def test_a_workflow_is_dispatched_or_reported_as_missing(shop: World) -> None:
    text = "on:\n  workflow_dispatch:\n    inputs:\n      app: {required: false}\n"
    shop.repo.seed({".github/workflows/production.yml": text})
    github = shop.github
    github.dispatch("production.yml", "main", {"app": "shop"})
    github.repository_dispatch("stagegate-release", {"app": "shop"})
    names = [event.name for event in shop.forge.events if not event.swallowed]
    assert "workflow_dispatch" in names and "repository_dispatch" in names
    with pytest.raises(Stop) as caught:
        github.dispatch("absent.yml", "main", {})
    assert caught.value.reason == "missing-file" and "absent.yml" in caught.value.what
    weak = shop.hub(shop.actions(contents="read"))
    with pytest.raises(Stop) as caught:
        weak.dispatch("production.yml", "main", {})
    assert "actions: write" in caught.value.why


def test_a_release_is_drafted_filled_and_published_once(shop: World) -> None:
    github = shop.github
    github.create_tag("v1.0.0", shop.sha, "shop 1.0.0")
    draft = github.create_release("v1.0.0", "shop 1.0.0", "notes")
    assert github.release("v1.0.0") == draft  # drafts are not found by tag, only by listing
    made = github.upload_asset(draft, "shop 1.0.0.tgz", b"\x1f\x8bchart\xff", "application/gzip")
    assert made.digest.startswith("sha256:")
    assert github.download_asset(made.id) == b"\x1f\x8bchart\xff"
    published = github.publish_release(draft, make_latest=True)
    assert not published.draft
    with pytest.raises(Stop) as caught:
        github.upload_asset(published, "shop 1.0.0.tgz", b"other", "application/gzip")
    assert caught.value.reason == "version-taken"
    assert [r.tag for r in github.releases()] == ["v1.0.0"]


def test_writes_are_spaced_out_and_reads_are_not(shop: World) -> None:
    slow = hub.connect(
        REPOSITORY,
        shop.actions(contents="write", statuses="write"),
        api_url=shop.forge.url,
        graphql_url="",
        server_url="",
        pace=1.0,
    )
    waits: list[float] = []
    slow._c.sleep = waits.append
    slow._c.clock = lambda: 1000.0
    for _ in range(3):
        slow.head("main")
    assert waits == []
    for name in ("a", "b"):
        slow.create_ref(f"refs/heads/{name}", shop.sha)
    assert waits == [1.0]


def test_a_new_object_may_be_missing_in_the_first_reads(shop: World) -> None:
    absent = {"status": 404, "body": {"message": "Not Found"}}
    github = shop.github
    number = record(shop)
    shop.forge.fail("POST", "/deployments/[0-9]+/statuses$", 1, absent)
    github.create_deployment_status(number, "success", "passed", "")
    assert [s.state for s in github.deployments("stagegate:shop")[0].statuses] == ["success"]

    fresh = shop.hub()  # has made nothing: a 404 is a refusal at once
    shop.forge.fail("PATCH", "/pulls/", None, absent)
    with pytest.raises(Stop):
        fresh.update_pull(7, title="x")
    assert fresh.calls.write == 1


def test_a_tag_behind_a_workflow_change_is_reported_with_both_fixes(shop: World) -> None:
    released = shop.repo.seed({".github/workflows/ci.yml": "on: push\n"})
    shop.repo.seed({".github/workflows/ci.yml": "on: [push, pull_request]\n"})
    with pytest.raises(Stop) as caught:
        shop.github.create_tag("v1.0.0", released, "shop 1.0.0")
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("missing-permission", 2)
    assert "workflows: write" in caught.value.why
    assert "GitHub App" in caught.value.next and "new version" in caught.value.next


def test_a_commit_with_a_thousand_statuses_is_reported(shop: World) -> None:
    said = {
        "resource": "Status",
        "code": "custom",
        "message": "This SHA and context has reached the maximum number of statuses.",
    }
    full = {"status": 422, "body": {"message": "Validation Failed", "errors": [said]}}
    shop.forge.fail("POST", "/statuses/", None, full)
    with pytest.raises(Stop) as caught:
        shop.github.set_status(shop.sha, "stagegate/pins", "success", "fine")
    assert (caught.value.reason, caught.value.verdict.exit_code) == ("unknown-state", 3)


def test_a_renamed_repository_is_not_written_through_a_redirect(shop: World) -> None:
    moved = {"status": 307, "headers": {"Location": f"{shop.forge.url}/repositories/1"}, "body": {}}
    shop.forge.fail("POST", "/dispatches$", 1, moved)
    with pytest.raises(Stop) as caught:
        shop.github.repository_dispatch("stagegate-release", {})
    assert caught.value.reason == "bad-input" and "a different name" in caught.value.what
