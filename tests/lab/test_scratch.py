"""Tests write into memory where that is possible, and never into a folder that another user may read."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab import scratch


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(scratch, "MEMORY", tmp_path)
    monkeypatch.setattr("os.path.ismount", lambda _: True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=scratch.ROOM))
    return tmp_path


def test_a_private_folder_of_this_user_is_used_again(memory: Path) -> None:
    folder = scratch.in_memory()
    assert folder and Path(folder).parent == memory and Path(folder).stat().st_mode & 0o777 == 0o700
    assert scratch.in_memory() == folder


@pytest.mark.usefixtures("memory")
def test_a_folder_that_others_may_open_is_not_used() -> None:
    folder = scratch.in_memory()
    assert folder
    Path(folder).chmod(0o755)
    assert scratch.in_memory() is None


@pytest.mark.usefixtures("memory")
def test_a_link_is_not_followed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = scratch.in_memory()
    assert folder
    Path(folder).rmdir()
    Path(folder).symlink_to(tmp_path_factory.mktemp("other"))
    assert scratch.in_memory() is None


def test_memory_is_not_used_with_too_little_room_or_a_chosen_tmpdir(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(memory))
    assert scratch.in_memory() is None
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=scratch.ROOM - 1))
    assert scratch.in_memory() is None
