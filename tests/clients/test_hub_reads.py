"""Reads are complete and exact, and their number does not grow with the amount of data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.model import Calls

from .hub_world import REPOSITORY, World, world


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


EXACT: dict[str, bytes | str | None] = {
    "plain.yaml": b"a: 1\n",
    "windows.yaml": b"a: 1\r\nb: 2\r\n",
    "bom.yaml": b"\xef\xbb\xbfa: 1\n",
    "latin.txt": b"caf\xe9\n",
    "emoji/ä.md": "\U0001f680 ü\n".encode(),
    "picture.bin": bytes(range(256)) * 4,
    "empty": b"",
    "no-newline": b"1.0.0",
    "with space": b"x\n",
}


def test_files_are_byte_exact_and_one_query_reads_them_all(shop: World) -> None:
    sha = shop.repo.seed(EXACT)
    seen = shop.hub().files(sha, [*EXACT, "absent", "emoji"])
    assert {path: blob.content for path, blob in seen.items() if blob} == EXACT
    assert seen["absent"] is None
    assert seen["emoji"] is None  # a folder is not a file
    few, many = shop.hub(), shop.hub()
    few.files(sha, ["plain.yaml"])
    many.files("main", ["plain.yaml", "windows.yaml", "bom.yaml", "no-newline", "empty", "absent"])
    assert few.calls == many.calls == Calls(read=1)


def test_a_missing_commit_is_not_a_missing_file(shop: World) -> None:
    with pytest.raises(Stop) as caught:
        shop.hub().files("nowhere", ["VERSION"])
    assert caught.value.reason == "missing-file"


def test_heads_commits_and_comparisons_are_read(shop: World) -> None:
    reader = shop.hub()
    assert reader.head("main") == shop.sha
    assert reader.head("mai") is None
    assert reader.default_branch() == "main"
    message = "Move the pin\n\nBody\n\nStagegate-App: shop\nStagegate-Run: 7"
    shop.repo.seed({"VERSION": "1.1.0\n"}, message)
    tip = reader.head("main")
    assert tip is not None
    commit = reader.commit_info(tip)
    assert commit is not None
    assert commit.parents == (shop.sha,)
    assert commit.trailers == {"Stagegate-App": "shop", "Stagegate-Run": "7"}
    assert reader.commit_info("0" * 39 + "1") is None
    seen = reader.compare(shop.sha, tip)
    assert (seen.ahead, seen.behind, seen.files) == (1, 0, ("VERSION",))
    assert [c.sha for c in seen.commits] == [tip]
    assert [c.sha for c in reader.history("main", path="VERSION")] == [tip, shop.sha]
    assert [c.sha for c in reader.history("main", first=1)] == [tip]


def test_more_than_a_page_is_read_to_the_end(shop: World) -> None:
    lines = "".join(
        f"commit refs/heads/main\ncommitter Octo <o@example.invalid> {n} +0000\ndata 1\nx\n"
        for n in range(105)
    ).replace("data 1\nx\n", f"data 1\nx\nfrom {shop.sha}\n", 1)
    shop.repo.store.git("fast-import", "--quiet", data=lines.encode())
    commits = shop.repo.store.rev_list("--reverse", f"{shop.sha}..main")
    reader = shop.hub()
    seen = reader.compare(shop.sha, "main")
    assert [c.sha for c in seen.commits] == commits
    update = "".join(f"create refs/heads/many/{n:03} {shop.sha}\n" for n in range(230))
    shop.repo.store.git("update-ref", "--stdin", data=update.encode())
    before = reader.calls.read
    assert len(reader.refs("refs/heads/many/")) == 230
    assert reader.calls.read - before == 1  # GitHub gives them all at once


def test_marks_on_many_refs_are_one_query(shop: World) -> None:
    writer = shop.hub()
    for n in range(5):
        sha = writer.create_orphan_commit({"mark.json": b'{"n": %d}' % n}, "hold")
        writer.create_ref(f"refs/heads/stagegate/hold/shop/e{n}", sha)
    writer.create_ref("refs/heads/stagegate/hold/shop/odd", shop.sha)
    reader = shop.hub()
    marks = reader.ref_files("refs/heads/stagegate/hold", "mark.json")
    assert reader.calls == Calls(read=1)
    assert marks["refs/heads/stagegate/hold/shop/e3"].content == b'{"n": 3}'
    assert marks["refs/heads/stagegate/hold/shop/odd"].content is None
    assert len(marks) == 6
    made = reader.commit_info(marks["refs/heads/stagegate/hold/shop/e3"].oid)
    assert made is not None and made.parents == ()
    assert hub.ACTIONS_BOT.same(marks["refs/heads/stagegate/hold/shop/e3"].author)


def test_identities_differ_by_kind_and_id(shop: World) -> None:
    shop.forge.user("github-actions")  # a person may carry the App's short name
    shop.forge.collaborator(REPOSITORY, "github-actions", "write")
    forger = shop.person("github-actions")
    real = shop.hub()
    assert real.viewer().same(hub.ACTIONS_BOT) and real.is_actions_token()
    assert not forger.viewer().same(hub.ACTIONS_BOT) and not forger.is_actions_token()
    forger.set_status(shop.sha, "stagegate/shop/staging", "success", "trust me")
    number = forger.create_deployment(shop.sha, "stagegate:shop", "staging", {"v": 1}, "", False)
    forger.create_deployment_status(number, "success", "trust me", "")
    real.create_deployment(shop.sha, "stagegate:shop", "staging", {"v": 2}, "", False)
    status = real.statuses(shop.sha)[0]
    assert status.creator is not None and status.creator.kind == "User"
    creators = [d.creator for d in real.deployments("stagegate:shop")]
    assert [hub.ACTIONS_BOT.same(c) for c in creators] == [True, False]
    assert real.account("github-actions[bot]") == real.viewer()


def test_deployments_come_newest_first_with_their_own_statuses(shop: World) -> None:
    writer = shop.hub()
    numbers = [
        writer.create_deployment(shop.sha, f"stagegate:{app}", env, {"n": n}, "x", False)
        for n, (app, env) in enumerate(
            [("shop", "staging"), ("pay", "staging"), ("shop", "prod"), ("shop", "staging")]
        )
    ]
    for state in ("in_progress", "failure", "success"):
        writer.create_deployment_status(numbers[0], state, state, "https://example.invalid/run")
    reader = shop.hub()
    found = reader.deployments("stagegate:shop", "staging", shop.sha)
    assert [d.id for d in found] == [numbers[3], numbers[0]]
    assert [s.state for s in found[1].statuses] == ["success", "failure", "in_progress"]
    assert found[1].payload == {"n": 0}
    assert reader.calls == Calls(read=2)
    assert [d.id for d in reader.deployments("stagegate:shop")] == [numbers[3], numbers[2], numbers[0]]
    assert reader.deployments("stagegate:shop", sha="0" * 40) == []


@pytest.mark.parametrize(
    ("text", "payload"),
    [('{"a": 1}', {"a": 1}), ('"{\\"a\\": 1}"', {"a": 1}), ("[1]", {}), ("{", {}), (None, {}), ("7", {})],
)
def test_a_payload_that_is_not_an_object_is_empty(text: str | None, payload: dict[str, int]) -> None:
    from stagegate.clients.hub.deployments import payload_of

    assert payload_of(text) == payload


def test_permissions_rules_and_runs_are_read(shop: World) -> None:
    reader = shop.hub()
    shop.forge.collaborator(REPOSITORY, "octo-lead", "maintain")
    assert reader.permission("octo-dev") == "write"
    assert reader.permission("octo-lead") == "maintain"
    with pytest.raises(Stop):
        reader.permission("nobody-at-all")
    assert reader.branch_rules("main") == []
    shop.forge.protect(REPOSITORY, require_pull_request=True)
    assert [rule.type for rule in reader.branch_rules("main") or []] == ["pull_request"]
    run = shop.forge.run_started(REPOSITORY, "release.yml", "push", "refs/heads/main", shop.sha, "octo-dev")
    assert reader.run_state(run) == "running"
    shop.forge.run_finished(run, "success")
    assert [reader.run_state(run), reader.run_state("999999")] == ["done", "unknown"]


def test_a_deleted_ref_is_found_in_the_activity(shop: World) -> None:
    writer = shop.hub()
    name = "refs/heads/stagegate/hold/shop/prod"
    sha = writer.create_orphan_commit({"mark.json": b"{}"}, "hold")
    writer.create_ref(name, sha)
    shop.person().update_refs([hub.RefUpdate(name=name, before=sha, after=hub.ZERO, force=True)])
    gone = shop.person().deleted_refs("refs/heads/stagegate/")
    assert [(g.ref, g.before) for g in gone] == [(name, sha)]
    assert gone[0].actor is not None and gone[0].actor.login == "octo-dev"


def test_the_moves_of_all_refs_are_read_in_one_request(shop: World) -> None:
    writer = shop.hub()
    name, kept = "refs/heads/stagegate/hold/shop/prod", "refs/heads/stagegate/ban/shop/prod"
    sha = writer.create_orphan_commit({"mark.json": b"{}"}, "hold")
    for ref in (name, kept):
        writer.create_ref(ref, sha)
    shop.person().update_refs([hub.RefUpdate(name=name, before=sha, after=hub.ZERO, force=True)])
    with hub.remembering():
        reader = shop.person()
        reader.read_moves()
        before = reader.calls.read
        move = reader.pushed(kept.removeprefix("refs/heads/"), reader.repository, sha)
        (gone,) = reader.deleted_refs("refs/heads/stagegate/")
        assert reader.calls.read == before
        assert move is not None and move == shop.person().pushed(
            kept.removeprefix("refs/heads/"), reader.repository
        )
        assert (gone.ref, gone.before) == (name, sha)
        other = writer.create_orphan_commit({"mark.json": b"{}"}, "another")
        shop.person().update_refs([hub.RefUpdate(name=kept, before=sha, after=other, force=True)])
        moved = reader.pushed(kept.removeprefix("refs/heads/"), reader.repository, other)
        assert moved is not None and moved.after == other, (
            "what was read may be older than the head asked for"
        )


def test_a_list_of_all_deployments_is_reused_until_one_is_written(shop: World) -> None:
    writer = shop.hub()
    for environment in ("staging", "prod"):
        writer.create_deployment(shop.sha, "t", environment, {"n": 1}, "", False)
    with hub.remembering():
        reader = shop.hub()
        assert [one.environment for one in reader.deployments("t", "prod")] == ["prod"]
        before = reader.calls.read
        assert [
            one.environment for page in reader.deployment_pages("t", "staging", shop.sha) for one in page
        ] == ["staging"]
        assert list(reader.deployment_pages("t", "staging", "1" * 40)) == []
        assert reader.calls.read == before
        reader.create_deployment(shop.sha, "t", "staging", {"n": 2}, "", False)
        assert len([one for page in reader.deployment_pages("t", "staging", shop.sha) for one in page]) == 2


def test_a_base_url_is_accepted_in_every_form(shop: World) -> None:
    url = shop.forge.url
    token = shop.actions(contents="read")
    for api in (f"{url}/", f"{url}/api/v3", f"{url}/api/v3/"):
        reader = hub.connect(REPOSITORY, token, api_url=api, graphql_url="", server_url=url, pace=0)
        assert reader.head("main") == shop.sha
        assert reader.statuses(shop.sha) == []
