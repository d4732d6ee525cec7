"""Reads and changes the version in files, and leaves every other byte alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.release import version_formats
from stagegate.release.version_formats import NotOnePlace, Span
from stagegate.settings import VersionFile

_SEMVER = r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"


class VersionInFile(msgspec.Struct, frozen=True, kw_only=True):
    """A version in a file, and its line (from 1)."""

    place: VersionFile
    version: str
    line: int


def read(place: VersionFile, content: bytes | None) -> tuple[VersionInFile, ...]:
    """Every version at a place: a lock file of npm has several. Stop(missing-file|bad-settings)."""
    if content is None:
        raise Stop(
            "missing-file",
            f"The file {place.file} does not exist.",
            "The settings list this file under version.files.",
            "Add the file, or remove it from the list.",
        )
    if _is_yaml(place):
        return tuple(_in_yaml(place, content))
    text = _text(content)
    return tuple(
        VersionInFile(place=place, version=text[start:end], line=text.count("\n", 0, start) + 1)
        for start, end in _spans(place, content, text)
    )


def write(place: VersionFile, content: bytes, version: str) -> bytes:
    """The file's bytes with the new version, and nothing else changed. Stop(bad-settings) as in `read`."""
    if _is_yaml(place):
        from stagegate.release import version_yaml

        return version_yaml.write(place, content, version)
    text = _text(content)
    for start, end in sorted(_spans(place, content, text), reverse=True):
        text = text[:start] + version + text[end:]
    return text.encode("utf-8", "surrogateescape")


def without_versions(places: tuple[VersionFile, ...], file: str, content: bytes) -> bytes | None:
    """A file's content with the version 0.0.0, to compare everything else. None when a place is not in the file."""
    for place in places:
        if place.file == file:
            try:
                content = write(place, content, "0.0.0")
            except Stop:
                return None
    return content


def disagreements(versions: tuple[VersionInFile, ...], expected: str) -> tuple[Finding, ...]:
    """A finding for each place with another version than the expected one."""
    return tuple(
        Finding(
            rule="version-consistent",
            severity="error",
            file=item.place.file,
            line=item.line,
            message=f"{item.place.file} contains {item.version}, not {expected}.",
            why="All version files must contain the same version.",
            fix=_bare(versions, item)
            or f"Write {expected} into the file, or let version-bump change the file.",
        )
        for item in versions
        if item.version != expected
    )


def with_v(versions: tuple[VersionInFile, ...]) -> tuple[VersionInFile, ...]:
    """Versions with a `v` before the number, which version-bump neither compares nor writes."""
    return tuple(item for item in versions if re.fullmatch(f"v{_SEMVER}", item.version))


def bare_cure(place: VersionFile) -> str:
    """How to write a place with a `v` before the version in the settings."""
    return (
        f"Under version.files, give {place.file} a `pattern` with the text around the number instead of a "
        '`path`, for example "tag: v{version}".'
    )


def _bare(versions: tuple[VersionInFile, ...], item: VersionInFile) -> str:
    prefixed = with_v(versions)
    numbers = {other.version.removeprefix("v") for other in versions}
    return (
        bare_cure((item if item in prefixed else prefixed[0]).place) if prefixed and len(numbers) == 1 else ""
    )


def read_all(
    places: tuple[VersionFile, ...], contents: Mapping[str, bytes | None]
) -> tuple[VersionInFile, ...]:
    """The versions at all places, in the order of the settings. Stop as in `read`."""
    return tuple(version for place in places for version in read(place, contents.get(place.file)))


def _is_yaml(place: VersionFile) -> bool:
    name = PurePosixPath(place.file)
    if place.pattern or name.suffix in (".json", ".toml"):
        return False
    return bool(place.path) or name.name in ("Chart.yaml", "Chart.yml")


def _spans(place: VersionFile, content: bytes, text: str) -> tuple[Span, ...]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _nothing(place, "UTF-16 text, which version-bump does not read", "Save the file as UTF-8.")
    try:
        if place.pattern:
            return (_matched(place, text),)
        name = PurePosixPath(place.file).name
        if place.path and name.endswith(".json"):
            return (_in_json(text, _plain(place)),)
        if place.path and name.endswith(".toml"):
            return (version_formats.in_toml(text, [str(step) for step in _plain(place)]),)
        return _WELL_KNOWN.get(name, _npm if name.endswith(".json") else _whole)(text)
    except NotOnePlace as problem:
        raise _nothing(
            place,
            str(problem),
            "Add a `path` or a longer `pattern` for this file under version.files, or correct the file.",
        ) from None


def _in_json(text: str, path: Sequence[str | int]) -> Span:
    from stagegate.release import version_json  # a JSON reader, which a VERSION file does not need

    return version_json.in_json(text, path)


def _plain(place: VersionFile) -> list[str | int]:
    from stagegate.release import version_yaml

    steps = version_yaml.steps(place.path)
    if steps is None:
        raise NotOnePlace(f"no plain path {place.path}")
    return steps


def _whole(text: str) -> tuple[Span, ...]:
    inner = text.removeprefix("\ufeff")
    start = len(text) - len(inner) + len(inner) - len(inner.lstrip())
    return ((start, start + len(inner.strip())),)


def _npm(text: str) -> tuple[Span, ...]:
    return (_in_json(text, ["version"]),)


def _npm_lock(text: str) -> tuple[Span, ...]:
    spans = [_in_json(text, ["version"])]
    if not re.search(r'"lockfileVersion"\s*:\s*1\b', text):  # since version 2 it lists packages too
        spans.append(_in_json(text, ["packages", "", "version"]))
    return tuple(spans)


def _tables(*tables: str) -> Callable[[str], tuple[Span, ...]]:
    def find(text: str) -> tuple[Span, ...]:
        spans = []
        problem = NotOnePlace("no version")
        for table in tables:
            try:
                spans.append(version_formats.in_toml(text, [*table.split("."), "version"]))
            except NotOnePlace as missing:
                problem = missing
        if not spans:
            raise problem
        return tuple(spans)

    return find


# Files with the version at a usual place: they need neither path nor pattern.
_WELL_KNOWN: dict[str, Callable[[str], tuple[Span, ...]]] = {
    "package.json": _npm,
    "package-lock.json": _npm_lock,
    "npm-shrinkwrap.json": _npm_lock,
    "pyproject.toml": _tables("tool.poetry", "project"),
    "Cargo.toml": _tables("workspace.package", "package"),
    "Cargo.lock": version_formats.in_lock,
    "pom.xml": lambda text: (version_formats.in_pom(text),),
}


def _in_yaml(place: VersionFile, content: bytes) -> Iterator[VersionInFile]:
    from stagegate.release import version_yaml  # a YAML reader, which a VERSION file does not need

    for path, version, line in version_yaml.read(place, content):
        if not line:
            raise _nothing(
                place, f"no value at {path}", "Correct the entry in version.files, or correct the file."
            )
        yield VersionInFile(place=place, version=version, line=line)


def _matched(place: VersionFile, text: str) -> Span:
    if place.pattern.count("{version}") != 1:
        raise Stop(
            "bad-settings",
            f"The pattern of {place.file} is {place.pattern!r}.",
            "A pattern must contain {version} exactly once.",
            'Write the text around the version into `pattern`, for example "--version {version}".',
        )
    before, after = place.pattern.split("{version}")
    rule = re.compile(re.escape(before) + f"({_SEMVER})" + re.escape(after))
    matches = list(rule.finditer(text))
    if len(matches) == 1:
        return matches[0].span(1)
    if not matches:
        raise NotOnePlace(f"no text of the form {place.pattern!r}")
    lines = ", ".join(str(text.count("\n", 0, match.start()) + 1) for match in matches[:5])
    raise NotOnePlace(
        f"{len(matches)} texts of the form {place.pattern!r} (lines {lines}), but only one of them "
        "can be the app's version"
    )


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _nothing(place: VersionFile, content: str, cure: str) -> Stop:
    return Stop(
        "bad-settings",
        f"{place.file} contains {content}.",
        "According to the settings, this file contains the app's version.",
        cure,
        file=place.file,
    )
