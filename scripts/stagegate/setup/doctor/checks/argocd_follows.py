"""argocd-follows: the live Applications sync automatically and request the pinned versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts, LiveApplication


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for live Applications that differ from their file, do not sync, or have an error."""
    written = {document.name: document for document in facts.applications()}
    for application in facts.argocd or ():
        if application.trouble or not application.document:
            continue
        live = mapping(application.document.get("spec"))
        if "automated" not in mapping(live.get("syncPolicy")):
            yield finding(
                "warning",
                f"The Application {application.name} has no automatic sync.",
                "A person must then sync every change of a pin by hand, and until then the gate waits and "
                "times out.",
                f"Run `argocd app set {application.name} --sync-policy automated --self-heal`, and "
                "write the same into the Application's file.",
                environment=application.environment,
            )
        if application.name in written:
            yield from _differs(
                application, written[application.name].content, written[application.name].file
            )
        for condition in items(mapping(application.document.get("status")).get("conditions")):
            kind = str(mapping(condition).get("type") or "")
            if kind.endswith("Error"):
                yield finding(
                    "error",
                    f"The Application {application.name} has the condition {kind}.",
                    str(mapping(condition).get("message") or "")[:300],
                    f"argocd app get {application.name}",
                    environment=application.environment,
                )


def _differs(application: LiveApplication, written: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """Findings for sources with another revision in Argo CD than in the file."""
    live = {
        (source.address, source.chart, source.path): source for source in sources.of(application.document)
    }
    for source in sources.of(written):
        live_source = live.get((source.address, source.chart, source.path))
        if live_source is None or live_source.revision != source.revision:
            has = f"revision {live_source.revision}" if live_source else "another source"
            yield finding(
                "error",
                f"In Argo CD, the Application {application.name} has {has}, but {file} has "
                f"{source.revision}.",
                f"{file} is not applied to the cluster, so a changed pin would have no effect.",
                "Let an app of apps apply the file, or apply it once by hand: kubectl apply -n "
                f"argocd -f {file}",
                file=file,
                environment=application.environment,
            )


CHECK = DoctorCheck(
    name="argocd-follows",
    looks_at="Live Applications: automatic sync, errors, and whether they match the files",
    cure="Make Argo CD apply the files with the pins.",
    check=check,
    needs=frozenset({"argocd"}),
)
