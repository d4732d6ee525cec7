"""applications-follow: Argo CD applies what the pins say, as soon as they say it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app import sources
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.settings import Environment
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Applications of the work tree: their branch, their folder, their sync policy; then those that are missing."""
    known = {document.name: document for document in facts.applications()}
    for config, _, environment in facts.places:
        for name in environment.argo.application_names:
            document = known.get(name)
            if document is None:
                if known and not _is_generated(facts, environment):
                    yield finding(
                        "warning",
                        f"No file of this repository has the Application {name}.",
                        f"{environment.name} names it in argocd.applications. The Applications here are: "
                        f"{', '.join(sorted(known))}.",
                        f"Correct argocd.applications in {config}, if it is not declared elsewhere.",
                        file=config,
                        environment=environment.name,
                    )
                continue
            yield from _follows(facts, environment, document.file, document.content)


def _follows(
    facts: DoctorFacts, environment: Environment, file: str, application: Mapping[str, Any]
) -> Iterator[Finding]:
    name = str(mapping(application.get("metadata")).get("name"))
    policy = mapping(mapping(application.get("spec")).get("syncPolicy"))
    if "automated" not in policy:
        yield finding(
            "warning",
            f"The Application {name} does not sync by itself.",
            "A moved pin then waits for somebody, and the gate times out.",
            "Write `syncPolicy: {automated: {prune: true, selfHeal: true}}`.",
            file=file,
            environment=environment.name,
        )
    pinned = {pin_files.file_of(pin) for pin in environment.pins}
    if file in pinned:
        return
    for source in sources.of(application):
        here = source.kind in ("git", "reference") and same_repository(
            source.address, facts.survey.repository
        )
        if here != "ours":
            continue
        if source.revision not in ("", "HEAD", facts.survey.branch, f"refs/heads/{facts.survey.branch}"):
            yield finding(
                "error",
                f"The Application {name} follows {source.revision} of this repository.",
                f"Pins move on {facts.survey.branch}, so it would never see them.",
                f"Write `targetRevision: {facts.survey.branch}`.",
                file=file,
                environment=environment.name,
            )
        folders = {posixpath.dirname(one) for one in pinned}
        path = source.path.strip("/")
        values = str(application)
        if source.kind == "git" and path and not any(_reaches(path, one, values) for one in folders | pinned):
            yield finding(
                "warning",
                f"The Application {name} deploys {path}, and the pins of {environment.name} are elsewhere.",
                f"They are in {', '.join(sorted(pinned))}.",
                "Correct `path`, or the pins.",
                file=file,
                environment=environment.name,
            )


def _reaches(path: str, pinned: str, values: str) -> bool:
    """Whether an Application of a folder takes a file: it is below, or named among its values."""
    return pinned == path or pinned.startswith(f"{path}/") or posixpath.basename(pinned) in values


def _is_generated(facts: DoctorFacts, environment: Environment) -> bool:
    sets = {d.file for d in facts.survey.documents if d.is_argocd and d.kind == "ApplicationSet"}
    return bool(sets & {pin_files.file_of(pin) for pin in environment.pins}) or bool(sets)


CHECK = DoctorCheck(
    name="applications-follow",
    looks_at="Applications in Git: branch, folder and automatic sync against the pins",
    cure="Let the Application follow the branch on which pins move.",
    check=check,
)
