"""The files of a commit, read from a work tree's Git: as Git lists them, and unknown where an object was replaced."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from stagegate.clients import git_trees
from tests.clients.test_git import Repository, own_home

__all__ = ["own_home"]
FILES = {
    "README.md": "# Shop\n",
    "deploy/argocd/prod.yaml": "a: 1\n",
    "deploy/argocd.md": "x\n",
    "é/ü.txt": "ü",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "work")
    made.commit("first", FILES)
    (made.path / "link").symlink_to("README.md")
    made.commit("second", {"deploy/argocd/staging.yaml": "b: 2\n"})
    return made


def test_the_listed_files_are_those_of_git(repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    listed = git_trees.proven(repository.path, head)
    assert listed is not None
    assert set(listed) == {*FILES, "link", "deploy/argocd/staging.yaml"}
    assert listed["link"][1] == "120000"
    for path, (oid, _) in listed.items():
        assert repository.git("rev-parse", f"{head}:{path}") == oid


@pytest.mark.parametrize("place", ["HEAD:deploy/argocd", "HEAD:", "HEAD"])
def test_a_tree_with_a_replaced_object_is_unknown(repository: Repository, place: str) -> None:
    head, name = repository.git("rev-parse", "HEAD"), repository.git("rev-parse", place)
    (repository.path / "README.md").write_text("# Another\n")
    (repository.path / "deploy/argocd/prod.yaml").write_text("a: 3\n")
    repository.commit("third")
    kind = repository.git("cat-file", "-t", place)
    other = repository.git("rev-parse", place)
    assert other != name
    content = repository.path / ".git" / "objects" / name[:2] / name[2:]
    replaced = repository.path / ".git" / "objects" / other[:2] / other[2:]
    assert zlib.decompress(replaced.read_bytes()).startswith(kind.encode())
    content.chmod(0o644)
    content.write_bytes(replaced.read_bytes())
    assert git_trees.proven(repository.path, head) is None


def test_a_missing_commit_is_unknown(repository: Repository, tmp_path: Path) -> None:
    assert git_trees.proven(repository.path, "1" * 40) is None
    assert git_trees.proven(repository.path, "HEAD") is None
    (tmp_path / "empty").mkdir()
    assert git_trees.proven(tmp_path / "empty", repository.git("rev-parse", "HEAD")) is None
