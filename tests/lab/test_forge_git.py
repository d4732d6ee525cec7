"""git over HTTP: cloning in every form the toolkit uses, and pushes that GitHub would refuse."""

from __future__ import annotations

import pytest

from tests.lab.forge_kit import Kit


def test_a_clone_works_with_bearer_with_basic_and_without_a_token(kit: Kit) -> None:
    for place, extra, token in (
        ("a", (), ""),
        ("b", (), kit.dev),
        ("c", ("-c", f"http.extraheader=Authorization: Bearer {kit.dev}"), ""),
    ):
        done = kit.git(*extra, "clone", "-q", f"{kit.forge.url}/acme/shop.git", ".", token=token, where=place)
        assert done.returncode == 0, done.stderr
        assert (kit.folder / place / "VERSION").read_text() == "1.0.0\n"


def test_shallow_and_partial_clones_have_the_right_commits(kit: Kit) -> None:
    old = kit.shop.head("main")
    kit.rest("POST", "git/refs", kit.dev, {"ref": "refs/tags/v1.0.0", "sha": old})
    for number in range(3):
        kit.shop.seed({"VERSION": f"1.0.{number}\n"}, f"feat: {number}")
    url = f"{kit.forge.url}/acme/shop"
    for place, option, commits in (
        ("depth", "--depth=1", 1),
        ("exclude", "--shallow-exclude=v1.0.0", 3),
        ("filter", "--filter=blob:none", 4),
    ):
        done = kit.git("clone", "-q", option, url, ".", where=place)
        assert done.returncode == 0, done.stderr
        assert kit.git("rev-list", "--count", "HEAD", where=place).stdout.strip() == str(commits)
    deeper = kit.git("fetch", "-q", "--deepen=2", where="depth")
    assert deeper.returncode == 0, deeper.stderr
    assert kit.git("rev-list", "--count", "HEAD", where="depth").stdout.strip() == "3"


def test_a_private_repository_hides_itself(kit: Kit) -> None:
    kit.forge.repository("acme/secret", private=True).seed({"a": "b"})
    kit.forge.collaborator("acme/secret", "octo-dev", "read")
    secret = f"{kit.forge.url}/acme/secret"
    assert kit.git("ls-remote", secret, token=kit.dev).returncode == 0
    assert "not found" in kit.git("ls-remote", secret, token=kit.reader).stderr
    assert kit.git("ls-remote", secret).returncode == 128
    gone = kit.forge.token("octo-dev", expires=1.0)
    assert "could not read Username" in kit.git("ls-remote", secret, token=gone).stderr


def test_a_push_moves_the_branch_and_needs_permission(kit: Kit) -> None:
    kit.clone(kit.dev)
    kit.change("VERSION", "1.1.0\n")
    for token, said in (
        (kit.reader, "Write access to repository not granted"),
        (kit.actions(contents="read"), "Write access to repository not granted"),
        ("ghp_unknown", "could not read Username"),
    ):
        done = kit.git("push", "-q", "origin", "HEAD:main", token=token)
        assert done.returncode != 0 and said in done.stderr, done.stderr
        assert kit.shop.read("main", "VERSION") == b"1.0.0\n"
    assert kit.git("push", "-q", "origin", "HEAD:main", token=kit.dev).returncode == 0
    assert kit.shop.read("main", "VERSION") == b"1.1.0\n"
    (event,) = kit.events("push")
    assert (event.ref, event.actor, event.paths) == ("refs/heads/main", "octo-dev", ("VERSION",))
    assert event.payload["after"] == event.sha == kit.shop.head("main")


@pytest.mark.parametrize(
    ("classic", "code", "text"),
    [
        (
            False,
            "GH013: Repository rule violations found for refs/heads/main",
            "- Changes must be made through",
        ),
        (
            True,
            "GH006: Protected branch update failed for refs/heads/main",
            "error: Changes must be made through",
        ),
    ],
)
def test_a_protected_branch_refuses_pushes(kit: Kit, classic: bool, code: str, text: str) -> None:
    kit.forge.app("acme-stagegate", {"contents": "write"})
    kit.forge.protect(
        "acme/shop", "main", require_pull_request=True, bypass_apps=["acme-stagegate"], classic=classic
    )
    kit.clone(kit.dev)
    kit.change("VERSION", "1.1.0\n")
    done = kit.git("push", "origin", "HEAD:main", token=kit.admin)
    assert done.returncode == 1 and code in done.stderr and text in done.stderr, done.stderr
    assert not kit.events("push")
    app = kit.forge.token("acme-stagegate", "app")
    assert kit.git("push", "-q", "origin", "HEAD:main", token=app).returncode == 0


def test_rules_for_force_pushes_and_creation_are_enforced(kit: Kit) -> None:
    kit.forge.protect("acme/shop", "main", no_force_push=True)
    kit.forge.protect("acme/shop", "stagegate/*", restrict_creation=True)
    kit.clone(kit.dev)
    kit.change("VERSION", "1.1.0\n")
    assert kit.git("push", "-q", "origin", "HEAD:main", token=kit.dev).returncode == 0
    kit.git("commit", "--amend", "-qm", "other")
    done = kit.git("push", "-qf", "origin", "HEAD:main", token=kit.dev)
    assert "Cannot force-push" in done.stderr
    done = kit.git("push", "-q", "origin", "HEAD:refs/heads/stagegate/hold", token=kit.dev)
    assert "creations being restricted" in done.stderr
    assert kit.git("push", "-q", "origin", "HEAD:refs/pull/9/head", token=kit.dev).returncode == 1


def test_workflow_files_need_their_own_permission(kit: Kit) -> None:
    kit.clone(kit.dev)
    kit.change(".github/workflows/new.yml", "on: push\n")
    done = kit.git("push", "origin", "HEAD:topic", token=kit.actions(contents="write"))
    assert "without `workflows` permission" in done.stderr
    assert kit.git("push", "-q", "origin", "HEAD:topic", token=kit.dev).returncode == 0


def test_a_push_updates_its_pull_request(kit: Kit) -> None:
    number = kit.pull("topic")
    kit.clone(kit.dev)
    kit.git("checkout", "-q", "topic")
    kit.change("more.txt", "more")
    kit.forge.drain_events()
    assert kit.git("push", "-q", "origin", "topic", token=kit.dev).returncode == 0
    assert kit.rest("GET", f"pulls/{number}").json()["head"]["sha"] == kit.shop.head("topic")
    assert ("pull_request", "synchronize", False) in kit.fresh()
    assert kit.git("push", "-q", "--delete", "origin", "topic", token=kit.dev).returncode == 0
    assert kit.rest("GET", f"pulls/{number}").json()["state"] == "closed"
    assert ("pull_request", "closed", False) in kit.fresh()


def test_more_than_three_tags_at_once_make_no_events(kit: Kit) -> None:
    kit.clone(kit.dev)
    for number in range(4):
        kit.git("tag", f"v{number}")
    assert kit.git("push", "-q", "--tags", "origin", token=kit.dev).returncode == 0
    assert {event.reason for event in kit.events("push")} == {"more than three tags in one push"}
