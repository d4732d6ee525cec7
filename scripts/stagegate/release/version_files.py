"""The files that hold the version: read it, move it, and leave every other byte alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from stagegate import yaml_edit
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.settings import VersionFile

_SEMVER = r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A version that a file holds, and the line (from 1) it stands on."""

    place: VersionFile
    version: str
    line: int


def read(place: VersionFile, content: bytes | None) -> tuple[Held, ...]:
    """Every version the place holds (a pattern may occur several times). Stop(missing-file|bad-settings)."""
    if content is None:
        raise Stop(
            "missing-file",
            f"There is no {place.file}.",
            "The settings list it under version.files.",
            "Add the file, or take it out of the list.",
        )
    if place.path:
        return (_in_yaml(place, content),)
    text = _decoded(place, content)
    if place.pattern:
        matches = list(_pattern(place).finditer(text))
        if not matches:
            raise _nothing(place, f"no text of the form {place.pattern!r}")
        lines = [text.count("\n", 0, match.start()) + 1 for match in matches]
        return tuple(Held(place=place, version=m[1], line=n) for m, n in zip(matches, lines, strict=True))
    return (Held(place=place, version=text.strip().removeprefix("\ufeff"), line=1),)


def write(place: VersionFile, content: bytes, version: str) -> bytes:
    """The file's bytes with its version moved, and nothing else changed."""
    if place.path:
        return yaml_edit.replace(content, {(0, place.path): version}, place.file)
    text = _decoded(place, content)
    if place.pattern:
        before, after = place.pattern.split("{version}")
        return _pattern(place).sub(lambda _: before + version + after, text).encode()
    return text.replace(text.strip().removeprefix("\ufeff"), version, 1).encode() if text.strip() else b""


def disagreements(held: tuple[Held, ...], expected: str) -> tuple[Finding, ...]:
    """A finding for each place that does not hold the expected version."""
    return tuple(
        Finding(
            rule="version-files",
            severity="error",
            file=item.place.file,
            line=item.line,
            message=f"{item.place.file} holds {item.version}, not {expected}.",
            why="All version files move together.",
            fix=f"Write {expected} here, or let version-bump do it.",
        )
        for item in held
        if item.version != expected
    )


def read_all(places: tuple[VersionFile, ...], contents: Mapping[str, bytes | None]) -> tuple[Held, ...]:
    """What all places hold, in the settings' order."""
    return tuple(held for place in places for held in read(place, contents.get(place.file)))


def _in_yaml(place: VersionFile, content: bytes) -> Held:
    nodes = yaml_edit.documents(content, place.file)
    scalar = yaml_edit.find(nodes[0], place.path) if nodes else None
    if scalar is None:
        raise _nothing(place, f"no value at {place.path}")
    return Held(place=place, version=scalar.value, line=scalar.line)


def _pattern(place: VersionFile) -> re.Pattern[str]:
    if place.pattern.count("{version}") != 1:
        raise Stop(
            "bad-settings",
            f"The pattern for {place.file} is {place.pattern!r}.",
            "A pattern contains {version} exactly once.",
            'Write the text around the version, for example "--version {version}".',
        )
    before, after = place.pattern.split("{version}")
    return re.compile(re.escape(before) + f"({_SEMVER})" + re.escape(after))


def _decoded(place: VersionFile, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _nothing(place, "no UTF-8 text") from error


def _nothing(place: VersionFile, what: str) -> Stop:
    return Stop(
        "bad-settings",
        f"{place.file} holds {what}.",
        "The settings say that the version stands there.",
        "Correct version.files, or the file.",
        file=place.file,
    )
