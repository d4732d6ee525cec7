"""applications-allowed: the AppProject of each Application allows its sources and its destination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document

_ANY = "default"  # Argo CD's own project, which allows everything by default


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for Applications of the environments whose project is in Git too."""
    projects = {
        document.name: document
        for document in facts.survey.documents
        if document.is_argocd and document.kind == "AppProject"
    }
    known = {document.name: document for document in facts.applications()}
    names = dict.fromkeys(name for _, _, place in facts.places for name in place.argo.application_names)
    for name in names if projects else ():
        document = known.get(name)
        if document is not None:
            yield from _judged(document, projects)


def _judged(document: Document, projects: Mapping[str, Document]) -> Iterator[Finding]:
    spec = mapping(document.content.get("spec"))
    project = str(spec.get("project") or _ANY)
    if project not in projects:
        if project != _ANY:
            yield finding(
                "warning",
                f"The Application {document.name} belongs to the project {project}, which no file declares.",
                f"The projects in this repository are: {', '.join(sorted(projects))}. Argo CD reports "
                "InvalidSpecError where it has no such project.",
                f"Correct `project`, if {project} is not declared elsewhere.",
                file=document.file,
            )
        return
    allowed = mapping(projects[project].content.get("spec"))
    file = projects[project].file
    for address in dict.fromkeys(source.address for source in sources.of(document.content)):
        if not _passes([str(one) for one in items(allowed.get("sourceRepos"))], address):
            yield finding(
                "error",
                f"The project {project} does not allow {address}, a source of the Application {document.name}.",
                "Argo CD reports InvalidSpecError, and the Application does not sync.",
                f"Add `- {address}` below `sourceRepos` in {file}.",
                file=document.file,
            )
    target = mapping(spec.get("destination"))
    if target and not any(_fits(mapping(one), target) for one in items(allowed.get("destinations"))):
        place = target.get("server") or target.get("name")
        yield finding(
            "error",
            f"The project {project} does not allow the namespace {target.get('namespace')} of {place}, the "
            f"destination of the Application {document.name}.",
            "Argo CD reports InvalidSpecError, and the Application does not sync.",
            f"Add it below `destinations` in {file}.",
            file=document.file,
        )


def _passes(patterns: Sequence[str], address: str) -> bool:
    """Whether a pattern matches an address, and no pattern with `!` does."""
    plain = address.removesuffix(".git")
    refused = [one[1:] for one in patterns if one.startswith("!")]
    wanted = [one for one in patterns if not one.startswith("!")]
    return any(_same(one, plain) for one in wanted) and not any(_same(one, plain) for one in refused)


def _same(pattern: str, address: str) -> bool:
    return fnmatchcase(address.lower(), pattern.removesuffix(".git").lower())


def _fits(allowed: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    """Whether a destination of a project includes that of an Application. A cluster is named by address or name."""
    for key in ("server", "name"):
        if target.get(key) and allowed.get(key):
            same = fnmatchcase(str(target[key]), str(allowed[key]))
            return same and fnmatchcase(
                str(target.get("namespace") or ""), str(allowed.get("namespace") or "")
            )
    # One names the cluster by its address and the other by its name: only the namespace can be compared.
    return fnmatchcase(str(target.get("namespace") or ""), str(allowed.get("namespace") or ""))


CHECK = DoctorCheck(
    name="applications-allowed",
    looks_at="Sources and destinations of Applications, against the AppProjects in Git",
    cure="Allow it in the AppProject.",
    check=check,
)
