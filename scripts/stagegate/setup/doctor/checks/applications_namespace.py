"""applications-namespace: the Applications in Git are created where Argo CD reads them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.setup.doctor import app_of_apps
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document

_DEFAULT = "argocd"


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for Applications of the environments, and their parents, without a namespace of their own."""
    applications = {document.name: document for document in facts.applications()}
    requested: dict[str, tuple[str, str]] = {}
    for _, _, environment in facts.places:
        if environment.argo.source == "api":
            names = [name for name in (*environment.argo.application_names, environment.argo.parent) if name]
            for name in names:
                requested.setdefault(name, (environment.argo.namespace or _DEFAULT, environment.name))
    for name, (namespace, environment_name) in requested.items():
        document = applications.get(name)
        if document is None or mapping(document.content.get("metadata")).get("namespace"):
            continue
        if _by_kustomize(facts, document):
            continue
        parents = [
            application
            for application in applications.values()
            if app_of_apps.reaches(facts, application, document.file)
        ]
        reason = _why(parents, namespace)
        if reason:
            yield finding(
                "warning",
                f"The Application {name} has no namespace in its `metadata`.",
                f"{reason} Argo CD reads Applications in {namespace}.",
                f"Write `namespace: {namespace}` under `metadata`.",
                file=document.file,
                environment=environment_name,
            )


def _why(parents: list[Document], namespace: str) -> str:
    """The place where such an Application is created instead; empty if that is right."""
    for parent in parents:
        destination = mapping(mapping(parent.content.get("spec")).get("destination")).get("namespace")
        if destination != namespace:
            place = f"in {destination}" if destination else "in no namespace"
            return (
                f"The Application {parent.name} applies this Application, and creates objects without "
                f"a namespace {place}."
            )
    return (
        ""
        if parents
        else (
            "`kubectl apply` creates the Application in the namespace of your context, which is often "
            "`default`."
        )
    )


def _by_kustomize(facts: DoctorFacts, document: Document) -> bool:
    folder = posixpath.dirname(document.file)
    return any(
        kustomization.is_kustomization
        and kustomization.content.get("namespace")
        and posixpath.dirname(kustomization.file) == folder
        for kustomization in facts.survey.documents
    )


CHECK = DoctorCheck(
    name="applications-namespace",
    looks_at="The namespace in which each Application in Git is created",
    cure="Write the namespace of Argo CD under `metadata` of the Application.",
    check=check,
)
