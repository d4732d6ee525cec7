"""Files and folders below a folder, by names that somebody else wrote."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_LONGEST = 255  # bytes of one part of a path, on the disks of every runner
_ABSENT = (FileNotFoundError, NotADirectoryError, PermissionError)  # possible names, whatever is there


def file(root: Path, name: str) -> Path | None:
    """The file of this name below `root`, links resolved.

    None where there is none, where it lies outside, where links lead in a circle, or for what can be no name.
    """
    return _fitting(root, name, Path.is_file)


def folder(root: Path, name: str) -> Path | None:
    """As `file`, for a folder."""
    return _fitting(root, name, Path.is_dir)


def place(root: Path, name: str) -> Path | None:
    """Where a name below `root` leads, links resolved, whether or not something is there.

    None where that is outside, or where `resolved` knows no such place.
    """
    target = resolved(root, name)
    return target if target is not None and target.is_relative_to(root.resolve()) else None


def resolved(root: Path, name: str) -> Path | None:
    """Where a name leads from `root`, links resolved, also outside of it.

    None for what no file can have as its name: links in a circle, a NUL, a name too long for the disk.
    """
    try:
        target = (root / name).resolve()
        target.lstat()
    except _ABSENT:
        return target if max(map(len, map(os.fsencode, target.parts))) <= _LONGEST else None
    except (OSError, RuntimeError, ValueError):
        return None
    return target


def matching(root: Path, glob: str) -> list[Path]:
    """The paths below `root` that a glob matches, sorted; none for what can be no glob."""
    try:
        return sorted(root.glob(glob))
    except (
        OSError,
        RuntimeError,
        ValueError,
        NotImplementedError,
        IndexError,
    ):  # absolute, empty, `**x`, too long
        return []


def is_file(path: Path) -> bool:
    """Whether there is a file, links followed. False for what can be no name; `Path.is_file` raises there."""
    try:
        return path.is_file()
    except OSError:
        return False


def _fitting(root: Path, name: str, fits: Callable[[Path], bool]) -> Path | None:
    target = place(root, name)
    return target if target is not None and fits(target) else None
