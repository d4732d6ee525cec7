"""sets-follow: the Applications that an ApplicationSet makes apply a change of the pins at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.argocd_app.sets import expand
from stagegate.argocd_app.sources import mapping
from stagegate.model import Finding
from stagegate.pins import files as pin_files
from stagegate.setup.doctor import sync_policy
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document

_HOLE = re.compile(r"\{\{.*?\}\}")


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for ApplicationSets with Applications of an environment that do not sync."""
    for document in facts.survey.documents:
        spec = mapping(document.content.get("spec"))
        # A generator's template and a templatePatch may set it too.
        if not expand.is_set(document.content) or "automated" in str(spec):
            continue
        served = list(dict.fromkeys(_served(facts, document)))
        if served:
            yield finding(
                "warning",
                f"The Applications of the ApplicationSet {document.name} do not sync by themselves.",
                f"A moved pin of {', '.join(served)} is then deployed only after a person syncs, and the gate "
                "times out.",
                sync_policy.cure(
                    mapping(mapping(spec.get("template")).get("spec")),
                    document.file,
                    place="spec.template.spec",
                ),
                file=document.file,
            )


def _served(facts: DoctorFacts, document: Document) -> Iterator[str]:
    """The environments whose pins are in an ApplicationSet, or whose Applications have a name that it may give."""
    template = mapping(mapping(document.content.get("spec")).get("template"))
    name = str(mapping(template.get("metadata")).get("name") or "")
    given = re.compile(".+".join(map(re.escape, _HOLE.split(name))))
    written = {one.name for one in facts.applications()}
    for _, _, environment in facts.places:
        pinned = {pin_files.file_of(pin) for pin in environment.pins}
        generated = set(environment.argo.application_names) - written
        if document.file in pinned or any(given.fullmatch(one) for one in generated):
            yield environment.name


CHECK = DoctorCheck(
    name="sets-follow",
    looks_at="ApplicationSets in Git: automatic sync of the Applications that they make",
    cure="Set `syncPolicy.automated` in the template of the ApplicationSet.",
    check=check,
)
