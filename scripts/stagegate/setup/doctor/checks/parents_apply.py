"""parents-apply: an app of apps applies the Applications in Git, so that a moved pin reaches Argo CD."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.argocd_app import sources
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.settings import Environment
from stagegate.setup.doctor import app_of_apps, sync_policy
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for the parent in the settings, and for Applications that should apply the pins."""
    applications = {document.name: document for document in facts.applications()}
    for config, _, environment in facts.places:
        applied = [
            applications[name].file
            for name in environment.argo.application_names
            if name in applications
            and applications[name].file in {pin_files.file_of(pin) for pin in environment.pins}
        ]
        parent = environment.argo.parent
        if parent and applications and parent not in applications:
            yield finding(
                "warning",
                f"No file in this repository declares the Application {parent}.",
                f"The environment {environment.name} names this Application in argocd.parent. The "
                f"Applications in this repository are:  {', '.join(sorted(applications))}.",
                f"If the parent is not declared elsewhere, correct argocd.parent in {config}.",
                file=config,
                environment=environment.name,
            )
        for file in applied:
            for application in applications.values():
                if application.name == parent or app_of_apps.reaches(facts, application, file):
                    yield from _applies(facts, environment, application, file)


def _applies(facts: DoctorFacts, environment: Environment, parent: Document, file: str) -> Iterator[Finding]:
    """Findings for a parent that does not apply the file of a pin."""
    branch = facts.survey.branch
    git_sources = [source for source in sources.of(parent.content) if source.kind == "git"]
    own_sources = [
        source
        for source in git_sources
        if same_repository(source.address, facts.survey.repository) != "foreign"
    ]
    if git_sources and not own_sources:
        yield finding(
            "warning",
            f"The Application {parent.name} deploys from {git_sources[0].address}, but {file} is in this "
            "repository.",
            f"Promotions to {environment.name} change {file}, but Argo CD would not apply the change.",
            f"Write `repoURL: https://github.com/{facts.survey.repository}.git`, unless "
            f"{git_sources[0].address} is a mirror.",
            file=parent.file,
            environment=environment.name,
        )
    for source in own_sources:
        if not app_of_apps.has(source, file) and len(own_sources) == 1 and not source.document.get("helm"):
            yield finding(
                "error",
                f"The Application {parent.name} deploys {source.path}, but {file} is not in this folder.",
                f"Promotions to {environment.name} change {file}, but Argo CD would not apply the change.",
                f"Write `path: {file.rpartition('/')[0]}` in {parent.file}, or correct argocd.parent.",
                file=parent.file,
                environment=environment.name,
            )
        elif source.revision not in ("", "HEAD", branch, f"refs/heads/{branch}"):
            yield finding(
                "error",
                f"The Application {parent.name} deploys from {source.revision} of this repository.",
                f"Pins change on {branch}, so the Application would never apply {file}.",
                f"Write `targetRevision: {branch}` in {parent.file}.",
                file=parent.file,
                environment=environment.name,
            )
    if "automated" not in mapping(mapping(parent.content.get("spec")).get("syncPolicy")):
        yield finding(
            "warning",
            f"The Application {parent.name} has no automatic sync.",
            f"The Application applies {file}. Without automatic sync, somebody must sync each "
            f"change of a pin by hand, or the gate of {environment.name} times out.",
            sync_policy.cure(mapping(parent.content.get("spec")), parent.file),
            file=parent.file,
            environment=environment.name,
        )


CHECK = DoctorCheck(
    name="parents-apply",
    looks_at="The app of apps that applies each pinned Application: its repository, folder, branch and "
    "automatic sync",
    cure="Make the app of apps apply the folder of the pins.",
    check=check,
)
