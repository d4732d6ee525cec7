"""A chart with its dependencies in place, built in a copy: the work tree stays as it was checked out."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stagegate.chart.source import ChartSource, Dependency
from stagegate.clients import helm
from stagegate.clients.registry.credentials import Credentials
from stagegate.errors import Stop

LOCK = "Chart.lock"
_DEEP = ("w", "w", "w", "w", "w", "w", "w", "w")  # room for the `..` of file:// dependencies


@contextmanager
def complete(
    chart: ChartSource, workspace: Path, logins: Mapping[str, Credentials] | None = None
) -> Iterator[ChartSource]:
    """The chart itself when nothing is missing, else a copy after `helm dependency build`, removed later.

    Chart.lock says which versions: without it two runs could pack different software, so its absence is
    Stop(missing-file). `file://` dependencies must lie inside the workspace: Stop(findings).
    """
    if all(_in_place(chart, dependency) for dependency in chart.dependencies):
        yield chart
        return
    if not (chart.folder / LOCK).is_file():
        raise Stop(
            "missing-file",
            f"There is no {chart.path}/{LOCK}.",
            "The chart has dependencies, and only the lock says which versions are packed.",
            f"Run `helm dependency update {chart.path}` and commit {LOCK}.",
            file=f"{chart.path}/{LOCK}",
        )
    with tempfile.TemporaryDirectory(prefix="stagegate-chart-") as temporary:
        folder = Path(temporary).joinpath(*_DEEP, chart.name)
        shutil.copytree(chart.folder, folder, symlinks=True)
        for dependency in chart.dependencies:
            if dependency.repository.startswith("file://"):
                _beside(chart, dependency, folder, workspace)
        helm.dependency_build(folder, logins)
        yield msgspec.structs.replace(chart, folder=folder)


def _in_place(chart: ChartSource, dependency: Dependency) -> bool:
    charts = chart.folder / "charts"
    return (charts / dependency.name / "Chart.yaml").is_file() or (
        charts / f"{dependency.name}-{dependency.version}.tgz"
    ).is_file()


def _beside(chart: ChartSource, dependency: Dependency, copy: Path, workspace: Path) -> None:
    """Link a `file://` dependency where the copy of the chart expects it."""
    relative = dependency.repository.removeprefix("file://")
    real = (chart.folder / relative).resolve()
    if Path(relative).is_absolute() or not real.is_relative_to(workspace.resolve()):
        raise Stop(
            "findings",
            f"The dependency {dependency.name} lies outside the repository.",
            f"{chart.path}/Chart.yaml names {dependency.repository}.",
            "Move it into the repository, or publish it and name the registry.",
            file=chart.file,
        )
    link = Path(os.path.normpath(copy / relative))
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real, target_is_directory=True)
