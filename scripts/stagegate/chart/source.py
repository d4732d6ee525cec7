"""Reads the chart in the work tree. Chart.yaml is read strictly, because helm accepts ambiguous values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.errors import Stop
from stagegate.model import parse_version
from stagegate.patterns import pattern

FILE = "Chart.yaml"
_NAME = pattern(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_HELM_NAME = pattern(r"[A-Za-z0-9][\w.-]*")
_LOOSE = pattern(r"v?(?P<major>\d+)(?:\.(?P<minor>\d+))?(?:\.(?P<patch>\d+))?(?P<rest>[-+].+)?")
_DOCUMENTS = re.compile(rb"^---(\s|$)", re.MULTILINE)


class Dependency(msgspec.Struct, frozen=True, kw_only=True):
    """A chart that this one includes; `repository` is empty when it is vendored in `charts/`."""

    name: str
    version: str
    repository: str = ""

    @property
    def local(self) -> str:
        """The folder of a `file://` dependency, relative to this chart; empty for other dependencies."""
        return self.repository.removeprefix("file://") if self.repository.startswith("file://") else ""


class ChartSource(msgspec.Struct, frozen=True, kw_only=True):
    """A chart folder: its path, the fields of Chart.yaml, and Chart.yaml's bytes."""

    folder: Path
    path: str
    name: str
    version: str
    app_version: str
    metadata: Mapping[str, Any]
    raw: bytes
    dependencies: tuple[Dependency, ...] = ()

    @property
    def file(self) -> str:
        """Chart.yaml's path in the workspace, for messages."""
        return f"{self.path}/{FILE}"


def read(folder: Path, path: str, name: str = "", *, lenient: bool = False) -> ChartSource:
    """The chart in `folder`. `path` is used in messages, `name` is the expected name (default: the folder's).

    `lenient` accepts another name, a key twice, or a version that is not SemVer, because rules of chart-check
    report them. Stop(missing-file|findings).
    """
    expected_name = name or ("" if lenient else folder.resolve().name)
    try:
        raw = (folder / FILE).read_bytes()
    except OSError as error:
        raise Stop(
            "missing-file",
            f"There is no {path}/{FILE}.",
            "`chart.path` in the settings names the folder of the chart.",
            "Correct `chart.path`, or write `chart: none` if the app has no chart.",
            file=f"{path}/{FILE}",
        ) from error
    metadata = parse_last(raw, f"{path}/{FILE}") if lenient else parse(raw, f"{path}/{FILE}")
    name = _text(metadata, "name", path)
    if not (_HELM_NAME if lenient else _NAME).fullmatch(name):
        raise _wrong(path, f"name is {name!r}.", "Use lower-case letters, digits, dots and dashes.")
    if expected_name and name != expected_name:
        cure = f"Set `chart.name: {name}` in the settings, or give the chart and its folder the same name."
        raise _wrong(path, f"`name` is {name!r}, but {expected_name!r} is expected.", cure)
    if metadata.get("apiVersion") not in ("v1", "v2"):
        raise _wrong(path, f"apiVersion is {metadata.get('apiVersion')!r}.", "Write apiVersion: v2.")
    written = str(metadata.get("version", ""))
    version = str(
        parse_version(_completed(written) if lenient else written, source=f"version in {path}/{FILE}")
    )
    app_version = str(metadata["appVersion"]) if metadata.get("appVersion") is not None else ""
    if app_version and not lenient:
        _text(metadata, "appVersion", path)
    return ChartSource(
        folder=folder,
        path=path,
        name=name,
        version=version,
        app_version=app_version,
        metadata=metadata,
        raw=raw,
        dependencies=_dependencies(metadata, path),
    )


def parse(raw: bytes, file: str) -> dict[str, Any]:
    """Chart.yaml's mapping; duplicate keys and several documents are refused. Stop(findings)."""
    try:
        document = yaml_1_1.load(raw)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = (getattr(error, "problem", None) or str(error) or "not YAML").split("\n")[0]
        raise Stop(
            "findings",
            f"{file} is not YAML.",
            f"{problem}.",
            "Correct it.",
            file=file,
            line=mark.line + 1 if mark else None,
        ) from error
    if not isinstance(document, dict) or _DOCUMENTS.search(raw.lstrip(b"\xef\xbb\xbf-\r\n")):
        raise Stop(
            "findings",
            f"{file} is not one mapping.",
            "Helm reads exactly one document.",
            "Correct it.",
            file=file,
        )
    return document


def parse_last(raw: bytes, file: str) -> dict[str, Any]:
    """As `parse`, but the last of two equal keys counts, as for Helm. Stop(findings)."""
    try:
        return parse(raw, file)
    except Stop:
        try:
            document = yaml_1_1.load_last(raw)
        except (yaml.YAMLError, ValueError):
            document = None
        if not isinstance(document, dict):
            raise
        return document


def _completed(version: str) -> str:
    """A version as Helm reads it: with three numbers and without a leading `v`."""
    match = _LOOSE.fullmatch(version)
    if match is None:
        return version
    numbers = ".".join(str(int(match[group] or 0)) for group in ("major", "minor", "patch"))
    return f"{numbers}{match['rest'] or ''}"


def _text(metadata: Mapping[str, Any], key: str, path: str) -> str:
    value = metadata.get(key)
    if not isinstance(value, str) or not value.strip():
        shown = "missing" if value is None else f"{value!r}, a {type(value).__name__}"
        raise _wrong(path, f"{key} is {shown}.", f'Write the value as text: {key}: "..."')
    return value


def _dependencies(metadata: Mapping[str, Any], path: str) -> tuple[Dependency, ...]:
    listed = metadata.get("dependencies") or []
    try:
        return tuple(
            Dependency(
                name=str(entry["name"]),
                version=str(entry.get("version", "")),
                repository=str(entry.get("repository") or ""),
            )
            for entry in listed
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise _wrong(
            path, "a dependency has no name.", "Give each dependency a name, a version and a repository."
        ) from error


def _wrong(path: str, why: str, next: str) -> Stop:
    return Stop("findings", f"{path}/{FILE} cannot be published.", why, next, file=f"{path}/{FILE}")
