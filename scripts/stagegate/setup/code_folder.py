"""Finds the folder with the code of an app. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath

from stagegate.setup.charts import DetectedChart


def of_app(code: Sequence[str], app: str, images: Collection[str], chart: DetectedChart | None) -> str:
    """The folder with an app's code: the shortest with its name or that of an image, else the one with its chart.

    `code` are the folders of a repository with code, `images` the last parts of the app's images.
    """
    named = sorted(
        (
            prefix
            for folder in code
            for prefix in _prefixes(folder)
            if PurePosixPath(prefix).name in {app, *images}
        ),
        key=lambda folder: (folder.count("/"), folder),
    )
    if named:
        return named[0]
    if chart is None:
        return ""
    above = posixpath.dirname(chart.path)
    return above if posixpath.basename(above) == app else chart.path


def _prefixes(folder: str) -> Iterable[str]:
    parts = PurePosixPath(folder).parts
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))
