"""Matches the files of an app: globs with `*`, `**` and `?`, and `!` to exclude."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import PurePosixPath

from stagegate.patterns import pattern
from stagegate.settings import Settings

_TOKENS = pattern(r"\*\*/|\*\*|\*|\?|.", re.DOTALL)
_PATTERNS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def of_app(settings: Settings, config: str) -> tuple[str, ...]:
    """The globs of an app; empty for all files.

    Where the settings file and all version files are in one folder below the root, the app is that folder.
    """
    if settings.version.paths:
        return settings.version.paths
    folder = PurePosixPath(config).parent
    files = [PurePosixPath(place.file) for place in settings.version.places]
    if folder == PurePosixPath(".") or not files or not all(file.is_relative_to(folder) for file in files):
        return ()
    return (f"{folder}/**",)


def belongs(file: str, globs: Iterable[str]) -> bool:
    """Whether a file belongs to an app: a glob matches and no excluding glob does.

    Without globs every file does.
    """
    listed = tuple(globs)
    included = [glob for glob in listed if not glob.startswith("!")]
    excluded = [glob[1:] for glob in listed if glob.startswith("!")]
    inside = not included or any(matches(file, glob) for glob in included)
    return inside and not any(matches(file, glob) for glob in excluded)


def matches(file: str, glob: str) -> bool:
    """Whether a glob matches a path. A glob that names a folder matches everything in it."""
    plain = glob.removeprefix("./").rstrip("/")
    if not any(mark in plain for mark in "*?"):
        return file == plain or file.startswith(f"{plain}/")
    return bool(_rule(plain).fullmatch(file)) or bool(_rule(f"{plain}/**").fullmatch(file))


@lru_cache(maxsize=256)
def _rule(glob: str) -> re.Pattern[str]:
    return re.compile("".join(_PATTERNS.get(token) or re.escape(token) for token in _TOKENS.findall(glob)))
