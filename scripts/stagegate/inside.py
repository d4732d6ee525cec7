"""Files and folders below a folder, by names that somebody else wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def file(root: Path, name: str) -> Path | None:
    """The file of this name below `root`, links resolved.

    None where there is none, where it lies outside, where links lead in a circle, or for what can be no name.
    """
    return _below(root, name, Path.is_file)


def folder(root: Path, name: str) -> Path | None:
    """As `file`, for a folder."""
    return _below(root, name, Path.is_dir)


def _below(root: Path, name: str, fits: Callable[[Path], bool]) -> Path | None:
    try:
        target = (root / name).resolve()
        return target if target.is_relative_to(root.resolve()) and fits(target) else None
    except (OSError, RuntimeError, ValueError):
        return None
