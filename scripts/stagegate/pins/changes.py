"""Differences of an environment between two commits, and which of them are not just the release."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate import pins
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.settings import Environment, Settings


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What differs: `files` of pins at all, `besides` in more than the scalars that name the release (`hidden`:
    no rendering of an Application would show it), `values` that its Applications name, `content` of folders and
    files that are deployed with it, `beside`: files with documents that name it, each with why it is judged."""

    files: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    beside: Mapping[str, str] = {}

    @property
    def more(self) -> tuple[str, ...]:
        """Everything that differs but the release."""
        return (*self.besides, *self.values, *self.content, *self.beside)

    @property
    def any(self) -> bool:
        """Whether the environment is touched."""
        return bool(self.files or self.more)


def of_pins(
    settings: Settings,
    environment: str,
    old: Mapping[str, bytes | None],
    new: Mapping[str, bytes | None],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Pin files of an environment that two commits do not have alike, and those that differ in more than the
    release they name."""
    listed = pinned_version.files_of(settings.environment(environment))
    files = tuple(file for file in listed if old[file] != new[file])
    return files, tuple(file for file in files if _is_more(file, settings, old, new))


def moves_release(
    settings: Settings,
    environment: Environment,
    old: Mapping[str, bytes | None],
    new: Mapping[str, bytes | None],
) -> bool:
    """Whether one of the scalars that name the release of an environment differs. What cannot be read does."""
    try:
        before, after = (
            [
                (place.file, place.document, place.path, place.inside, place.value)
                for pin in environment.pins
                for place in pinned_version.read(pin, contents, settings, environment).places
            ]
            for contents in (old, new)
        )
    except Stop:
        return True
    return before != after


def is_branch(revision: str, branch: str) -> bool:
    """Whether Argo CD takes a revision for this branch, the default one."""
    return revision in ("", "HEAD", branch, f"refs/heads/{branch}")


def _is_more(
    file: str, settings: Settings, old: Mapping[str, bytes | None], new: Mapping[str, bytes | None]
) -> bool:
    """Whether a file differs in more than the releases it names; what cannot be read does."""
    before, after = old[file], new[file]
    if before is None or after is None:
        return True
    chart = next((one for one in pinned_version.pin_files(settings) if pins.companion(one) == file), "")
    try:
        if chart:
            was, now = old[chart], new[chart]
            return not was or not now or pins.relock(file, before, was, now)[0] != after
        places = [_places(file, settings, side) for side in (old, new)]
        return pins.besides(before, file, places[0]) != pins.besides(after, file, places[1])
    except Stop:
        return True


def _places(file: str, settings: Settings, contents: Mapping[str, bytes | None]) -> list[pins.PinPlace]:
    """Every scalar of a file that names a release, whichever environment's."""
    return [
        place
        for environment in settings.environments
        for pin in environment.pins
        if pin_files.file_of(pin) == file
        for place in pinned_version.read(pin, contents, settings, environment).places
    ]
