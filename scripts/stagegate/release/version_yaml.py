"""Reads and changes the version in a YAML file. Loaded only for apps with the version in such a file."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import yaml_edit
from stagegate.settings import VersionFile


def read(place: VersionFile, content: bytes) -> Iterator[tuple[str, str, int]]:
    """Path, version and line (from 1) of every place; an empty version where there is none."""
    nodes = yaml_edit.documents(content, place.file)
    for path in _paths(place, content):
        scalar = yaml_edit.find(nodes[0], path) if nodes else None
        yield path, scalar.value if scalar else "", scalar.line if scalar else 0


def write(place: VersionFile, content: bytes, version: str) -> bytes:
    """The file's bytes with the new version, and nothing else changed."""
    changes: dict[tuple[int, str | yaml_edit.Path], str] = {
        (0, path): version for path in _paths(place, content)
    }
    return yaml_edit.replace(content, changes, place.file)


def steps(path: str) -> list[str | int] | None:
    """The keys and indexes of a path; None for one that searches."""
    parsed = yaml_edit.parse_path(path)
    plain = [step for step in parsed if not isinstance(step, tuple)]
    return plain if len(plain) == len(parsed) else None


def _paths(place: VersionFile, content: bytes) -> tuple[str, ...]:
    """The path in the settings; for a Chart.yaml without one, its version and an appVersion that equals it."""
    if place.path:
        return (place.path,)
    nodes = yaml_edit.documents(content, place.file)
    version, app = (yaml_edit.find(nodes[0], name) if nodes else None for name in ("version", "appVersion"))
    return ("version", "appVersion") if version and app and app.value == version.value else ("version",)
