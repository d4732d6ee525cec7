"""Which Applications of the work tree apply the files of others."""

from __future__ import annotations

from stagegate.argocd_app import sources
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import ApplicationSource
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document


def reaches(facts: DoctorFacts, parent: Document, file: str) -> bool:
    """Whether an Application deploys a folder of this repository that has a file."""
    return parent.file != file and any(
        has(source, file) and same_repository(source.address, facts.survey.repository) == "ours"
        for source in sources.of(parent.content)
    )


def has(source: ApplicationSource, file: str) -> bool:
    """Whether a source is a folder that has a file."""
    path = source.path.strip("/.")
    return source.kind == "git" and (not path or file.startswith(f"{path}/"))
