"""The runner's facts, and the limit to paths inside the workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stagegate.errors import Stop
from stagegate.runner.context import Context


def context(workspace: Path, **environ: str) -> Context:
    return Context.from_environ({"GITHUB_WORKSPACE": str(workspace), **environ})


@pytest.mark.parametrize(
    ("text", "attempt"),
    [("3", 3), ("", 1), ("0", 1), ("-2", 1), ("two", 1), ("²", 1), ("1.5", 1), ("9" * 5000, 1), (" 2", 1)],
)
def test_an_unreadable_attempt_counts_as_the_first(tmp_path: Path, text: str, attempt: int) -> None:
    assert context(tmp_path, GITHUB_RUN_ATTEMPT=text).run.attempt == attempt


def test_the_run_address_is_on_the_configured_server(tmp_path: Path) -> None:
    there = context(
        tmp_path, GITHUB_SERVER_URL="https://ghe.example/", GITHUB_REPOSITORY="acme/shop", GITHUB_RUN_ID="7"
    )
    assert there.run_url == "https://ghe.example/acme/shop/actions/runs/7"
    assert context(tmp_path).run_url == ""


@pytest.mark.parametrize(
    ("ref", "branch"),
    [("refs/heads/a/b", "a/b"), ("refs/tags/v1", ""), ("refs/pull/1/merge", ""), ("", ""), ("main", "")],
)
def test_only_a_branch_ref_names_a_branch(tmp_path: Path, ref: str, branch: str) -> None:
    assert context(tmp_path, GITHUB_REF=ref).branch == branch


def test_the_event_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps({"action": "opened"}))
    assert context(tmp_path, GITHUB_EVENT_PATH=str(file)).event() == {"action": "opened"}
    assert context(tmp_path).event() == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff{}", b"[" * 100_000, None])
def test_a_broken_event_is_never_an_empty_one(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "event.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Stop, match="event of this run cannot be read") as caught:
        context(tmp_path, GITHUB_EVENT_PATH=str(file)).event()
    assert caught.value.reason == "bad-input"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with links that lead out of it, beside a folder whose name only begins like its own."""
    inside, outside = tmp_path / "work", tmp_path / "work-of-others"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.yaml").write_text("a: 1")
    (inside / "linked.yaml").symlink_to(outside / "secret.yaml")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to("loop")
    (inside / "near.yaml").symlink_to("real.yaml")
    (inside / "real.yaml").write_text("b: 2")
    return inside


@pytest.mark.parametrize(
    "path",
    [
        "../work-of-others/secret.yaml",
        "a/../../work-of-others/secret.yaml",
        "/etc/passwd",
        "linked.yaml",
        "folder/secret.yaml",
        "folder/new.yaml",
        "..",
    ],
)
def test_no_path_leaves_the_workspace(workspace: Path, path: str) -> None:
    with pytest.raises(Stop, match="leads to a place outside the workspace") as caught:
        context(workspace).inside(path, what="config")
    assert caught.value.reason == "bad-input"


@pytest.mark.parametrize("path", ["loop", "loop/x", "x" * 5000, "a/" + "x" * 300, "a\0b"])
def test_an_impossible_path_is_refused(workspace: Path, path: str) -> None:
    with pytest.raises(Stop) as caught:
        context(workspace).inside(path, what="config")
    assert caught.value.reason == "bad-input"
    assert f"config {path[:200]!r} cannot be a file" in caught.value.what


def test_a_path_inside_the_workspace_is_found(workspace: Path) -> None:
    here = context(workspace)
    for path in ("real.yaml", "./real.yaml", "a/../real.yaml", "near.yaml", str(workspace / "real.yaml")):
        assert here.inside(path, what="config").read_text() == "b: 2"
    assert here.inside("not/there/yet.json", what="report") == workspace.resolve() / "not/there/yet.json"


def test_a_workspace_behind_a_link_is_the_same_folder(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "other-name").symlink_to(workspace)
    found = context(tmp_path / "other-name").inside(str(tmp_path / "other-name/real.yaml"), what="config")
    assert found == (workspace / "real.yaml").resolve()
