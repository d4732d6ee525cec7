"""Completes a chart with its dependencies in a copy, so that the work tree stays as it was checked out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from stagegate import inside, yaml_1_1
from stagegate.chart.source import ChartSource, Dependency
from stagegate.clients import helm_dependencies
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.versions import Version

if TYPE_CHECKING:
    from stagegate.clients.registry.credentials import Credentials

LOCK = "Chart.lock"
_OUT_OF_SYNC = "is out of sync"
_DEEP = ("w", "w", "w", "w", "w", "w", "w", "w")  # room for the `..` of file:// dependencies


@contextmanager
def complete(
    chart: ChartSource, workspace: Path, logins: Mapping[str, Credentials] | None = None
) -> Iterator[ChartSource]:
    """The chart itself when nothing is missing, else a temporary copy after `helm dependency build`.

    Stop(missing-file) without Chart.lock, because two runs could pack different versions. Stop(findings) for a
    `file://` dependency outside the workspace.
    """
    if in_place(chart):
        yield chart
        return
    if not (chart.folder / LOCK).is_file():
        raise Stop(
            "missing-file",
            f"There is no {chart.path}/{LOCK}.",
            "The chart has dependencies, and only this file records their exact versions.",
            f"Run `helm dependency update {chart.path}` and commit {LOCK}.",
            file=f"{chart.path}/{LOCK}",
        )
    with tempfile.TemporaryDirectory(prefix="stagegate-chart-") as temporary:
        folder = Path(temporary).joinpath(*_DEEP, chart.name)
        shutil.copytree(chart.folder, folder, symlinks=True)
        for dependency in chart.dependencies:
            if dependency.local:
                _beside(chart, dependency, folder, workspace)
        try:
            helm_dependencies.build(folder, logins)
        except Stop as stop:
            raise _outdated(chart, stop) if _OUT_OF_SYNC in stop.why else stop from None
        yield msgspec.structs.replace(chart, folder=folder)


def in_place(chart: ChartSource) -> bool:
    """Whether every dependency is in the chart's folder, so that nothing has to be downloaded."""
    return all(_in_place(chart, dependency) for dependency in chart.dependencies)


def mismatches(chart: ChartSource) -> tuple[Finding, ...]:
    """A finding for each dependency in `charts/` with another version than in Chart.yaml or Chart.lock."""
    locked = _locked(chart.folder / LOCK)
    findings = []
    for dependency in chart.dependencies:
        vendored = _vendored(chart, dependency)
        exact = dependency.version if Version.is_valid(dependency.version.removeprefix("v")) else ""
        for source, required in ((LOCK, locked.get(dependency.name, "")), ("Chart.yaml", exact)):
            if vendored and required and vendored.removeprefix("v") != required.removeprefix("v"):
                findings.append(
                    Finding(
                        rule="chart-lint",
                        severity="error",
                        file=f"{chart.path}/charts",
                        message=f"charts/ has {dependency.name} {vendored}, but {source} requires {required}.",
                        why="The package would contain a different version from the one that the chart declares.",
                        fix=f"Run `helm dependency update {chart.path}` and commit the changed files.",
                    )
                )
                break
    return tuple(findings)


def _vendored(chart: ChartSource, dependency: Dependency) -> str:
    """The version of a dependency in `charts/`, unpacked or as an archive; empty without one."""
    return next(_versions(chart, dependency), "")


def _versions(chart: ChartSource, dependency: Dependency) -> Iterator[str]:
    """Every version of a dependency in `charts/`; with aliases a chart may include several."""
    charts = chart.folder / "charts"
    for unpacked in _unpacked(chart, dependency):
        yield _text_at(unpacked.read_bytes(), "version")
    import tarfile  # slow to import, and often not needed

    for archive in sorted(charts.glob(f"{dependency.name}-*.tgz")):
        try:
            with tarfile.open(archive) as tar:
                member = tar.extractfile(f"{dependency.name}/Chart.yaml")
                content = member.read(1 << 20) if member else b""
        except (tarfile.TarError, KeyError, OSError, EOFError):
            continue
        if _text_at(content, "name") == dependency.name:
            yield _text_at(content, "version")


def _unpacked(chart: ChartSource, dependency: Dependency) -> Iterator[Path]:
    """Chart.yaml of each folder in `charts/` with a chart of this name; Helm ignores the name of the folder."""
    for file in sorted((chart.folder / "charts").glob("*/Chart.yaml")):
        if dependency.name in (file.parent.name, _text_at(file.read_bytes(), "name")):
            yield file


def _locked(file: Path) -> dict[str, str]:
    """The locked versions by name."""
    document = _document(file.read_bytes()) if file.is_file() else {}
    listed = document.get("dependencies")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return {str(entry.get("name")): str(entry.get("version")) for entry in entries}


def _text_at(content: bytes, key: str) -> str:
    return str(_document(content).get(key) or "")


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = yaml_1_1.load(content)
    except (yaml.YAMLError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _in_place(chart: ChartSource, dependency: Dependency) -> bool:
    """Whether `charts/` has it: unpacked, or as an archive of the version in the lock or in Chart.yaml.

    For a range such as 2.x.x without a lock, any archive with the name is enough, as for Helm.
    """
    charts = chart.folder / "charts"
    named = charts / f"{dependency.name}-{dependency.version}.tgz"
    if any(True for _ in _unpacked(chart, dependency)) or named.is_file():
        return True
    versions = {version.removeprefix("v") for version in _versions(chart, dependency)}
    locked = _locked(chart.folder / LOCK).get(dependency.name, "").removeprefix("v")
    exact = Version.is_valid(dependency.version.removeprefix("v"))
    return locked in versions if locked else bool(versions) and not exact


def _outdated(chart: ChartSource, stop: Stop) -> Stop:
    return Stop(
        "findings",
        f"{chart.path}/{LOCK} does not match {chart.path}/Chart.yaml.",
        stop.why,
        f"Run `helm dependency update {chart.path}` and commit {LOCK}.",
        file=f"{chart.path}/{LOCK}",
    )


def _beside(chart: ChartSource, dependency: Dependency, copy: Path, workspace: Path) -> None:
    """Link a `file://` dependency where the copy of the chart expects it."""
    relative = dependency.local
    real = inside.resolved(chart.folder, relative)
    if real is not None and (Path(relative).is_absolute() or not real.is_relative_to(workspace.resolve())):
        raise Stop(
            "findings",
            f"The dependency {dependency.name} is in a folder outside the repository.",
            f"{chart.path}/Chart.yaml has the repository {dependency.repository} for this dependency.",
            "Move the dependency into the repository, or publish it and name its registry.",
            file=chart.file,
        )
    if real is None or inside.folder(workspace, str(real)) is None:
        raise Stop(
            "findings",
            f"The dependency {dependency.name} does not exist.",
            f"{chart.path}/Chart.yaml names {dependency.repository}, which is not a folder.",
            "Correct the path, or commit the chart.",
            file=chart.file,
        )
    link = Path(os.path.normpath(copy / relative))
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real, target_is_directory=True)
