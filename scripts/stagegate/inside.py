"""Files below a folder, by names that somebody else wrote."""

from __future__ import annotations

from pathlib import Path


def file(root: Path, name: str) -> Path | None:
    """The file of this name below `root`, links resolved.

    None where there is none, where it lies outside, where links lead in a circle, or for what can be no name.
    """
    try:
        target = (root / name).resolve()
        return target if target.is_relative_to(root.resolve()) and target.is_file() else None
    except (OSError, RuntimeError, ValueError):
        return None
