"""applications-follow: Argo CD applies a change of the pins at once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app import sources
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.settings import Environment
from stagegate.setup.doctor import sync_policy
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the branch, folder and sync policy of Applications in the work tree, and for missing ones."""
    applications = {document.name: document for document in facts.applications()}
    for config, _, environment in facts.places:
        for name in environment.argo.application_names:
            document = applications.get(name)
            if document is None:
                if applications and not _is_generated(facts, environment):
                    yield finding(
                        "warning",
                        f"No file in this repository declares the Application {name}.",
                        f"The environment {environment.name} names this Application in "
                        "argocd.applications. The Applications in this repository are:  "
                        f"{', '.join(sorted(applications))}.",
                        f"If the Application is not declared elsewhere, correct argocd.applications in {config}.",
                        file=config,
                        environment=environment.name,
                    )
                continue
            yield from _follows(facts, environment, document.file, document.content)
            yield from _elsewhere(environment, document, config)
            yield from _two_forms(environment, document)
            yield from _destination(environment, document)
    yield from _shared(facts)


def _follows(
    facts: DoctorFacts, environment: Environment, file: str, application: Mapping[str, Any]
) -> Iterator[Finding]:
    name = str(mapping(application.get("metadata")).get("name"))
    policy = mapping(mapping(application.get("spec")).get("syncPolicy"))
    if "automated" not in policy:
        yield finding(
            "warning",
            f"The Application {name} has no automatic sync.",
            "A moved pin then waits for somebody, and the gate times out.",
            sync_policy.cure(mapping(application.get("spec")), file),
            file=file,
            environment=environment.name,
        )
    pinned = {pin_files.file_of(pin) for pin in environment.pins}
    if file in pinned:
        return
    for source in sources.of(application):
        in_this_repository = source.kind in ("git", "reference") and same_repository(
            source.address, facts.survey.repository
        )
        if in_this_repository != "ours":
            yield from _foreign(facts, source, pinned, environment, name, file)
            continue
        if source.revision not in ("", "HEAD", facts.survey.branch, f"refs/heads/{facts.survey.branch}"):
            yield finding(
                "error",
                f"The Application {name} deploys from {source.revision} of this repository.",
                f"Pins change on {facts.survey.branch}, so the Application would never deploy a changed pin.",
                f"Write `targetRevision: {facts.survey.branch}`.",
                file=file,
                environment=environment.name,
            )
        folders = {posixpath.dirname(file) for file in pinned}
        path = posixpath.normpath(source.path.strip("/")) if source.path.strip("/.") else ""
        values = str(application)
        if source.kind == "git" and path and not _holds(facts, path):
            yield finding(
                "error",
                f"The Application {name} deploys the folder {path}, which does not exist.",
                "Argo CD reports a ComparisonError for the Application.",
                f"Write `path: {min(folders, key=lambda folder: (folder.count('/'), folder), default='')}`, or the "
                "folder that contains the files.",
                file=file,
                environment=environment.name,
            )
        elif (
            source.kind == "git"
            and path
            and not any(_reaches(path, file, values) for file in folders | pinned)
        ):
            yield finding(
                "warning",
                f"The Application {name} deploys {path}, but the pins of {environment.name} are in "
                "a different folder.",
                f"The pins are in {', '.join(sorted(pinned))}.",
                "Correct `path` in the Application, or correct the pins.",
                file=file,
                environment=environment.name,
            )


def _holds(facts: DoctorFacts, path: str) -> bool:
    return any(folder.startswith(f"{path}/") for folder in facts.survey.paths)


def _foreign(
    facts: DoctorFacts,
    source: ApplicationSource,
    pinned: set[str],
    environment: Environment,
    name: str,
    file: str,
) -> Iterator[Finding]:
    """Findings for a source in another repository with the folder of the pins, usually a mistyped address."""
    path = source.path.strip("/")
    if source.kind == "git" and path and any(folder.startswith(f"{path}/") for folder in pinned):
        yield finding(
            "warning",
            f"The Application {name} deploys {path} of {source.address}, but the pins of "
            f"{environment.name} are in {path} of this repository.",
            "A promotion changes the pins in this repository, but Argo CD would not read them.",
            f"Write `repoURL: https://github.com/{facts.survey.repository}.git`, unless "
            f"{source.address} is a mirror.",
            file=file,
            environment=environment.name,
        )


def _elsewhere(environment: Environment, document: Document, config: str) -> Iterator[Finding]:
    """Findings for an Application in another namespace than the gate requests."""
    namespace = str(mapping(document.content.get("metadata")).get("namespace") or "")
    requested = environment.argo.namespace
    if environment.argo.source == "api" and namespace not in ("", requested or "argocd"):
        yield finding(
            "warning",
            f"The Application {document.name} is in the namespace {namespace}, but the gate of "
            f"{environment.name} looks for the Application in {requested or 'the namespace of Argo CD'}.",
            "Argo CD returns 403 if the Application is not in the requested namespace.",
            f"Write `argocd: {{namespace: {namespace}}}` for {environment.name} in {config}, "
            "unless Argo CD itself runs in this namespace.",
            file=document.file,
            environment=environment.name,
        )


def _destination(environment: Environment, document: Document) -> Iterator[Finding]:
    """Findings for an Application without cluster, or without a namespace for its objects."""
    destination = mapping(mapping(document.content.get("spec")).get("destination"))
    if destination and not (destination.get("server") or destination.get("name")):
        yield finding(
            "error",
            f"The Application {document.name} names no cluster.",
            "Argo CD reports InvalidSpecError without `server` or `name` under `destination`.",
            "Write `server: https://kubernetes.default.svc` under `destination`.",
            file=document.file,
            environment=environment.name,
        )
    if destination and not destination.get("namespace"):
        yield finding(
            "warning",
            f"The Application {document.name} names no namespace for its objects.",
            "Without a namespace, Argo CD does not create objects that have no namespace of their own.",
            f"Write `namespace: {document.name}` under `destination`, or the namespace that the app uses.",
            file=document.file,
            environment=environment.name,
        )


def _two_forms(environment: Environment, document: Document) -> Iterator[Finding]:
    """Findings for `chart` beside an address with oci://, which is neither of the two forms for a chart."""
    for source in sources.of(document.content):
        if source.chart and source.address.startswith("oci://"):
            address = source.address.removeprefix("oci://")
            yield finding(
                "warning",
                f"The Application {document.name} has the address {source.address} and `chart: {source.chart}`.",
                "With `chart`, the address must not begin with oci://. Argo CD reads an address "
                "with oci:// as the whole address of an artifact, and finds no chart.",
                f"Write `repoURL: {address}`.",
                file=document.file,
                environment=environment.name,
            )


def _shared(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for an Application of two environments or apps with pins in different files."""
    owners: dict[str, tuple[str, Environment]] = {}
    for config, settings, environment in facts.places:
        for name in environment.argo.application_names if environment.argo.source == "api" else ():
            app, first = owners.setdefault(name, (settings.app, environment))
            if first is not environment and not _files(first) & _files(environment):
                one_app = app == settings.app
                yield finding(
                    "error" if one_app else "warning",
                    f"{app} in {first.name} and {settings.app} in {environment.name} name the same Application "
                    f"{name}.",
                    "The pins of the two are in different files, so one of the two gates waits for "
                    "a release that the Application never deploys"
                    + ("." if one_app else ", unless the Application deploys both apps."),
                    f"Correct argocd.applications of {environment.name} in {config}.",
                    file=config,
                    environment=environment.name,
                )


def _files(environment: Environment) -> set[str]:
    return {pin_files.file_of(pin) for pin in environment.pins}


def _reaches(path: str, pinned: str, values: str) -> bool:
    """Whether an Application of a folder uses a file: the file is in the folder, or among the values."""
    return pinned == path or pinned.startswith(f"{path}/") or posixpath.basename(pinned) in values


def _is_generated(facts: DoctorFacts, environment: Environment) -> bool:
    sets = {d.file for d in facts.survey.documents if d.is_argocd and d.kind == "ApplicationSet"}
    return bool(sets & {pin_files.file_of(pin) for pin in environment.pins}) or bool(sets)


CHECK = DoctorCheck(
    name="applications-follow",
    looks_at="Applications in Git: whether branch, folder and automatic sync match the pins",
    cure="Make the Application deploy from the branch on which pins move.",
    check=check,
)
