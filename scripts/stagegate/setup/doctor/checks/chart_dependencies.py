"""chart-dependencies: a runner can fetch the dependencies of a chart, in locked versions."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import clean
from stagegate.model import Finding
from stagegate.settings import Settings
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for each dependency that is not in `charts/`, and for a missing lock."""
    for _, settings in facts.valid:
        chart_settings = settings.own_chart
        if chart_settings is None or settings.source:
            continue
        folder = clean(chart_settings.path)
        fetched = [
            dependency
            for dependency in _dependencies(facts, folder)
            if not _is_vendored(facts, folder, dependency)
        ]
        for dependency in fetched:
            yield from _dependency(facts, settings, folder, dependency)
        if fetched and facts.tree.file(f"{folder}/Chart.lock") is None:
            yield finding(
                "error",
                f"There is no {folder}/Chart.lock.",
                "Without it the versions of the chart's dependencies are not fixed, so helm-publish stops.",
                f"helm dependency update {folder} && git add {folder}/Chart.lock",
                file=f"{folder}/Chart.yaml",
            )


def _dependencies(facts: DoctorFacts, folder: str) -> list[Mapping[str, Any]]:
    try:
        chart = mapping(yaml_1_1.load(facts.tree.file(f"{folder}/Chart.yaml") or b""))
    except (yaml.YAMLError, ValueError):
        return []  # version-files and chart-rules report it
    return [
        dependency for dependency in map(mapping, items(chart.get("dependencies"))) if dependency.get("name")
    ]


def _is_vendored(facts: DoctorFacts, folder: str, dependency: Mapping[str, Any]) -> bool:
    start = f"{folder}/charts/{dependency['name']}"
    return any(path.startswith((f"{start}/", f"{start}-")) for path in facts.survey.paths)


def _dependency(
    facts: DoctorFacts, settings: Settings, folder: str, dependency: Mapping[str, Any]
) -> Iterator[Finding]:
    name, where = str(dependency["name"]), str(dependency.get("repository") or "")
    file = f"{folder}/Chart.yaml"
    vendor = f"helm dependency update {folder} && git add --force {folder}/charts"
    if where.startswith(("@", "alias:")):
        yield finding(
            "error",
            f"The dependency {name} of {folder} is in the repository {where}.",
            "The name of this repository comes from `helm repo add` on your machine and does not "
            "exist on a runner.",
            f"Write the address of the repository into {file}, and run: helm dependency update {folder}",
            file=file,
        )
    elif where.startswith("file://"):
        target = posixpath.normpath(posixpath.join(folder, where.removeprefix("file://")))
        if f"{target}/Chart.yaml" not in facts.tree.entries:
            yield finding(
                "error",
                f"The dependency {name} of {folder} is in {target}, but this repository has no "
                "chart in that folder.",
                "A runner has only the files of this repository.",
                f"Correct the `repository` of the dependency in {file}, or put the dependency into "
                f"the chart: {vendor}",
                file=file,
            )
    elif not where:
        yield finding(
            "error",
            f"The dependency {name} of {folder} has no `repository`, and {folder}/charts does not "
            "contain it.",
            f"helm takes a dependency without a repository from {folder}/charts.",
            f"Add the folder {folder}/charts/{name}, or write the `repository` of the dependency "
            f"into {file}.",
            file=file,
        )
    else:
        host = where.partition("://")[2].partition("/")[0]
        if host and host not in settings.registry_hosts:
            yield finding(
                "note",
                f"helm fetches the dependency {name} of {folder} from {host} without credentials.",
                "stagegate sends credentials only to the registries of `images` and `chart.repository`.",
                f"If {host} requires credentials, put the dependency into the chart: {vendor}",
                file=file,
            )


CHECK = DoctorCheck(
    name="chart-dependencies",
    looks_at="The dependencies of each chart: Chart.lock, and whether a runner can fetch the dependencies",
    cure="Run `helm dependency update`, and commit the files that the command writes.",
    check=check,
)
