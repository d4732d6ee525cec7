"""Files that an app probably needs, guessed from the work tree. Reading them ahead only saves requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stagegate import inside
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.settings import Settings

_WORKFLOWS = ".github/workflows"
_FEW = 40  # files; with more of them there is no room in the first query
_SMALL = 65_536  # bytes; a longer file is not worth reading ahead


def files(config: str, settings: Settings, work_tree: Path | None) -> tuple[str, ...]:
    """The settings, pins and charts beside them, then the values files that the pins of the work tree name, and its
    workflows that use stagegate."""
    likely = pinned_version.likely_files(config, settings)
    return (*likely, *values(likely, work_tree), *_workflows(work_tree))


def values(likely: Sequence[str], work_tree: Path | None) -> tuple[str, ...]:
    """The values files that these files of the work tree name; none without a work tree, or with many files."""
    if work_tree is None or len(likely) > _FEW:
        return ()
    named: dict[str, None] = {}
    for file in likely:
        content = _content(work_tree, file)
        try:
            named |= dict.fromkeys(pin_files.values({file: content}) if content else ())
        except Stop:  # it says nothing; the file of the default branch is judged where it is needed
            continue
    small = (path for path in named if _content(work_tree, path) is not None)
    return tuple(path for path in small if path not in likely)


def _workflows(work_tree: Path | None) -> tuple[str, ...]:
    """The first few workflow files of the work tree that use stagegate: who may verify, and whose runs count."""
    if work_tree is None:
        return ()
    listed = sorted((work_tree / _WORKFLOWS).glob("*.y*ml"))[:_FEW]
    paths = (f"{_WORKFLOWS}/{path.name}" for path in listed)
    return tuple(path for path in paths if b"stagegate" in (_content(work_tree, path) or b""))


def _content(work_tree: Path, file: str) -> bytes | None:
    """A small file of the work tree; None where there is no such file in it."""
    path = inside.file(work_tree, file)
    try:
        return path.read_bytes() if path and path.stat().st_size <= _SMALL else None
    except OSError:
        return None
