"""Finds the release that a pin names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from stagegate.errors import Stop
from stagegate.pins.place import PinFile, PinPlace
from stagegate.settings import Settings


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """The release that a pin names; a part is empty when no field names it. Digests by image or chart."""

    version: str = ""
    commit: str = ""
    digests: Mapping[str, str] = {}


def range_of(pin_file: PinFile) -> PinPlace | None:
    """The place that names no exact release (a range, a branch, a floating tag), or None."""
    return next((place for place in pin_file.places if place.moving), None)


def version_of(pin_file: PinFile, settings: Settings) -> str | None:
    """The version this environment runs; None when a place moves by itself, or none names a version.

    Stop(ambiguous-pin) when the fields of the pin disagree.
    """
    running_release = running(pin_file, settings)
    return None if range_of(pin_file) else running_release.version or None


def running(pin_file: PinFile, settings: Settings) -> Running:
    """The release that all exact places of the pin name together. Stop(ambiguous-pin) when they disagree."""
    versions, commits = ({}, {})  # type: dict[str, PinPlace], dict[str, PinPlace]
    digests: dict[str, str] = {}
    for place in pin_file.places:
        names = place.names
        if "version" in names:
            versions.setdefault(names["version"], place)
        if "commit" in names:
            commits.setdefault(names["commit"], place)
        if "digest" in names:
            digests[place.subject or settings.app] = names["digest"]
    for places_by_value in (versions, commits):
        if len(places_by_value) > 1:
            raise _disagree(pin_file.file, settings.app, tuple(places_by_value.values()))
    return Running(version=next(iter(versions), ""), commit=next(iter(commits), ""), digests=digests)


def _disagree(file: str, app: str, places: Sequence[PinPlace]) -> Stop:
    values = ", ".join(f"{place.value} in line {place.line}" for place in places)
    return Stop(
        "ambiguous-pin",
        f"The fields of {file} name different releases of {app}.",
        f"The fields name {values}. A promotion changes all fields together, so they must name one "
        "release, and now it is unclear which release runs.",
        "Edit the fields by hand, once, so that all of them name one release.",
        file=file,
        line=places[0].line,
    )
