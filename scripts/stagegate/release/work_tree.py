"""The version files as the work tree of this job holds them."""

from __future__ import annotations

from stagegate.release.version_files import Held, read_all
from stagegate.runner.context import Context
from stagegate.settings import Settings


def held_versions(settings: Settings, context: Context, *, lenient: bool = False) -> tuple[Held, ...]:
    """What the version files of the work tree hold; `lenient` passes over those that are not there."""
    places = settings.version.places
    paths = {place.file: context.inside(place.file, what="version.files") for place in places}
    contents = {file: path.read_bytes() if path.is_file() else None for file, path in paths.items()}
    return read_all(tuple(p for p in places if not lenient or contents[p.file] is not None), contents)
