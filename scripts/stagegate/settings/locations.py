"""Where settings files are when no input names them, so that a workflow need not repeat it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from stagegate.errors import Stop

FILE = "stagegate.yaml"  # the default of the input `config`
PATTERNS = ("*/stagegate.yaml", "apps/*/stagegate.yaml", "services/*/stagegate.yaml")


def find(paths: Iterable[str]) -> tuple[str, ...]:
    """The settings files among the paths of a repository whose root has none, sorted; empty where there are none.

    All of them match one pattern. Stop(bad-input) where two patterns match: one of the folders may hold no apps,
    and to leave an app out would leave its pins unguarded.
    """
    listed = sorted(path for path in paths if path.endswith(f"/{FILE}") and not path.startswith("."))
    by_pattern = {pattern: tuple(path for path in listed if _matches(path, pattern)) for pattern in PATTERNS}
    matched = [pattern for pattern, files in by_pattern.items() if files]
    if len(matched) > 1:
        files = ", ".join(by_pattern[pattern][0] for pattern in matched)
        raise Stop(
            "bad-input",
            f"Settings files are in several places: {files}.",
            "Without the input `config`, all settings files must be in one of these places: "
            + ", ".join(PATTERNS)
            + ".",
            f"Set `config` to the path or glob of the right ones, such as {matched[-1]}.",
        )
    return by_pattern[matched[0]] if matched else ()


def in_work_tree(root: Path) -> tuple[str, ...]:
    """The settings files of a work tree: that of its root, else those that `find` finds."""
    if (root / FILE).exists():
        return (FILE,)
    return find(path.relative_to(root).as_posix() for pattern in PATTERNS for path in root.glob(pattern))


def _matches(path: str, pattern: str) -> bool:
    """Whether a path matches, where `*` stays within one folder."""
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)
