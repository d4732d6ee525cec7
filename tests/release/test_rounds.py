"""How many requests in sequence a decision sends to GitHub: each one is a round trip across the network."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from lab import histories
from lab.forge import Forge
from stagegate.clients import git_history, git_room
from stagegate.clients.hub import Blob
from stagegate.clients.process import Completed
from tests.clients.test_git import Repository
from tests.release.version_world import VersionWorld

SETTINGS = """app: shop
version: {files: [VERSION, package.json], changelog: CHANGELOG.md}
environments: [{name: prod, pins: [deploy/prod.yaml]}]
"""
FILES = {
    "stagegate.yaml": SETTINGS,
    "VERSION": "1.0.0\n",
    "package.json": '{"version": "1.0.0"}\n',
    "CHANGELOG.md": "# Changelog\n",
    "deploy/prod.yaml": "a: 1\n",
}


def rounds(world: VersionWorld, *flags: str, depth: int) -> tuple[int, int]:
    """The number of requests to the repository and the API in one run. git asks for abilities before each."""
    before = len(world.forge.calls)
    code, found = world.bump(*flags, depth=depth)
    assert code == 0, found
    asked = [call.path for call in world.forge.calls[before:] if not call.path.endswith("/info/refs")]
    repository = sum(path.endswith("/git-upload-pack") for path in asked)
    return repository, len(asked) - repository


@pytest.mark.parametrize(
    ("mode", "depth", "least"),
    [
        ("plan", 0, (1, 2)),  # the refs; the files, and the pull requests of the commits
        ("plan", 1, (2, 2)),  # and the commits since the tag
        ("verify", 0, (1, 1)),
        ("verify", 1, (1, 1)),
    ],
)
def test_the_number_of_requests_does_not_grow_with_commits(
    tmp_path: Path, mode: str, depth: int, least: tuple[int, int]
) -> None:
    with Forge(tmp_path / "forge") as forge:
        world = VersionWorld(forge, tmp_path, FILES, ["v1.0.0"])
        for number in range(12):
            world.repo.seed({f"a{number}": "1"}, f"feat: number {number}")
        assert rounds(world, "--mode", mode, depth=depth) == least


def test_a_branch_older_than_the_tag_needs_two_more_requests_to_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole commit graph and its trees; old contents of a version file are then read by the API."""
    with Forge(tmp_path / "forge") as forge:
        world = VersionWorld(forge, tmp_path, FILES, [])
        world.git("branch", "update", "main")
        world.repo.seed({"src/tea": "1"}, "feat: tea")
        world.git("tag", "v1.0.0", "main")
        world.repo.seed({"package.json": '{"version": "1.0.0", "a": 1}\n'}, "fix: update a", branch="update")
        pull = world.ask("POST", "pulls", title="Update a", head="update", base="main", body="")["number"]
        world.merge(pull, "merge")
        assert rounds(world, "--mode", "plan", depth=1) == (4, 3)
    assert "because some commits may not descend from v1.0.0" in capsys.readouterr().out


def test_folders_and_old_contents_are_fetched_where_they_decide(tmp_path: Path) -> None:
    with Forge(tmp_path / "forge") as forge:
        world = VersionWorld(forge, tmp_path, FILES, ["v1.0.0"])
        world.repo.seed({"deploy/prod.yaml": "a: 2\n"}, "fix: a pin alone")
        world.repo.seed({"package.json": '{"version": "1.0.0", "a": 1}\n'}, "fix: update a")
        assert rounds(world, "--mode", "plan", depth=1) == (3, 2)


def test_the_files_are_requested_while_git_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = Repository(tmp_path / "origin")
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.commit("feat: open", {"VERSION": "1.0.0\n"})
    origin.git("tag", "v1.0.0")
    origin.commit("feat: tea", {"tea": "1"})
    origin.commit("fix: cups", {"cups": "1"})
    work = tmp_path / "work"
    origin.git("clone", "--quiet", "--depth=1", "--no-tags", f"file://{origin.path}", str(work))
    asked, fetch = threading.Event(), git_room.fetch

    class Files(histories.Files):
        def files(self, ref: str, paths: tuple[str, ...]) -> dict[str, Blob]:
            asked.set()
            return super().files(ref, paths)

    def late(*words: Any, **given: Any) -> Completed:
        assert asked.wait(60), "the files are requested only after git has fetched"
        return fetch(*words, **given)

    monkeypatch.setattr(histories, "Files", Files)
    monkeypatch.setattr(git_history, "fetch", late)
    assert histories.decide(work, "1.0.0", origin.path).version == "1.1.0"
