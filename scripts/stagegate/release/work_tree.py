"""Reads the version files in the work tree of this job."""

from __future__ import annotations

from stagegate.release.version_files import VersionInFile, read_all
from stagegate.runner.context import Context
from stagegate.settings import Settings


def file_versions(
    settings: Settings, context: Context, *, lenient: bool = False
) -> tuple[VersionInFile, ...]:
    """The versions in the files of the work tree. `lenient` skips missing files.

    Stop(missing-file|bad-settings).
    """
    places = settings.version.places
    paths = {place.file: context.inside(place.file, what="version.files") for place in places}
    contents = {file: path.read_bytes() if path.is_file() else None for file, path in paths.items()}
    readable = [place for place in places if not lenient or contents[place.file] is not None]
    return read_all(tuple(readable), contents)
