"""Untrusted file names: only a file below the folder is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate import inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub/file").write_text("x")
    (tmp_path / "outside").write_text("x")
    for name, target in (("loop", "loop"), ("out", "../outside"), ("in", "sub/file"), ("gone", "nothing")):
        (root / name).symlink_to(target)
    return root


@pytest.mark.parametrize(
    ("name", "real"), [("sub/file", "sub/file"), ("in", "sub/file"), ("sub/../in", "sub/file")]
)
def test_a_file_below_the_folder_is_found(root: Path, name: str, real: str) -> None:
    assert inside.file(root, name) == (root / real).resolve()
    assert inside.folder(root, name) is None


@pytest.mark.parametrize(
    "name",
    ["loop", "loop/x", "out", "../outside", "/etc/hostname", "gone", "sub/none", "n" * 300, "a\0b", "in/x"],
)
def test_a_path_that_leaves_the_folder_is_not_found(root: Path, name: str) -> None:
    assert inside.file(root, name) is None
    assert inside.folder(root, name) is None


def test_a_folder_below_the_folder_is_found(root: Path) -> None:
    assert inside.folder(root, "sub") == (root / "sub").resolve()
    assert inside.file(root, "sub") is None


@pytest.mark.parametrize("name", ["loop", "loop/x", "long", "n" * 300, "new/" + "n" * 300, "a\0b"])
def test_an_impossible_name_gives_no_file(root: Path, name: str) -> None:
    (root / "long").symlink_to("n" * 300)
    assert inside.resolved(root, name) is inside.place(root, name) is None
    assert inside.file(root, name) is inside.folder(root, name) is None
    assert not inside.is_file(root / "long")


def test_a_place_need_not_exist_and_is_below_the_folder(root: Path) -> None:
    assert inside.place(root, "not/yet") == root / "not/yet"
    assert inside.place(root, "../new") is None
    assert inside.resolved(root, "../new") == root.parent / "new"


@pytest.mark.parametrize("glob", ["/etc/*", "", "**x", "a\0*", "n" * 300])
def test_an_invalid_glob_matches_nothing(root: Path, glob: str) -> None:
    assert inside.matching(root, glob) == []
