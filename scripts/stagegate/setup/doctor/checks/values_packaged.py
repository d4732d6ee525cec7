"""values-packaged: the values files that an Application names exist in the package or in Git."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stagegate.argocd_app import sources
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import items
from stagegate.chart import ignore
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for files of the chart's package, then for files of this repository."""
    charts = {
        settings.chart_reference.rpartition("/")[2]: settings.own_chart.path
        for _, settings in facts.valid
        if settings.own_chart is not None and not settings.source
    }
    for document in facts.applications():
        for source in sources.of(document.content):
            folder = charts.get(source.chart, "") if source.kind == "registry" else ""
            for name in map(str, items(source.options("helm").get("valueFiles"))):
                if source.options("helm").get("ignoreMissingValueFiles") or "://" in name or "{{" in name:
                    continue
                if name.startswith("$"):
                    target = sources.referenced(document.content, name[1:].partition("/")[0])
                    file = name.partition("/")[2]
                    if target and same_repository(target.address, facts.survey.repository) == "ours":
                        yield from _in_git(facts, document.file, document.name, file)
                elif folder:
                    yield from _in_package(facts, document.file, document.name, folder, name)


def _in_git(facts: DoctorFacts, file: str, application: str, name: str) -> Iterator[Finding]:
    if facts.tree.file(name) is None:
        yield finding(
            "error",
            f"The Application {application} names the values file {name}, which does not exist.",
            "Argo CD cannot render the chart without this file.",
            "Add the file, or correct valueFiles.",
            file=file,
        )


def _in_package(facts: DoctorFacts, file: str, application: str, folder: str, name: str) -> Iterator[Finding]:
    path = posixpath.normpath(f"{folder}/{name}")
    if facts.tree.file(path) is None:
        yield finding(
            "error",
            f"The Application {application} names the values file {name}, but the chart does not "
            "contain this file.",
            "Argo CD reads this file from the published package.",
            f"Add {path}, or correct valueFiles.",
            file=file,
        )
        return
    try:
        lines = ignore.patterns(facts.tree.file(f"{folder}/.helmignore") or b"", f"{folder}/.helmignore")
    except Stop:
        return  # chart-check reports it
    if ignore.ignored(posixpath.normpath(name), False, lines):
        yield finding(
            "error",
            f"{application} names {name}, but {folder}/.helmignore excludes this file from the package.",
            "Argo CD reads this file from the published package.",
            f"Delete the line that matches {name} from {folder}/.helmignore.",
            file=f"{folder}/.helmignore",
        )


CHECK = DoctorCheck(
    name="values-packaged",
    looks_at="Values files that Applications name: whether the chart's package or this repository contains them",
    cure="Add the file, or correct valueFiles.",
    check=check,
)
