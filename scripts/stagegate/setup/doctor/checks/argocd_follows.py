"""argocd-follows: the live Applications sync by themselves and ask for what the pins say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import ApplicationFound, DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Live Applications against their file, then their sync policy and conditions."""
    written = {document.name: document for document in facts.applications()}
    for one in facts.argocd or ():
        if one.trouble or not one.document:
            continue
        live = mapping(one.document.get("spec"))
        if "automated" not in mapping(live.get("syncPolicy")):
            yield finding(
                "warning",
                f"The Application {one.name} has no automatic sync.",
                "A person must then sync every change of a pin by hand, and until then the gate waits and "
                "times out.",
                f"argocd app set {one.name} --sync-policy automated --self-heal, and the same in its file",
                environment=one.environment,
            )
        if one.name in written:
            yield from _differs(one, written[one.name].content, written[one.name].file)
        for condition in items(mapping(one.document.get("status")).get("conditions")):
            kind = str(mapping(condition).get("type") or "")
            if kind.endswith("Error"):
                yield finding(
                    "error",
                    f"The Application {one.name} has the condition {kind}.",
                    str(mapping(condition).get("message") or "")[:300],
                    f"argocd app get {one.name}",
                    environment=one.environment,
                )


def _differs(one: ApplicationFound, written: Mapping[str, Any], file: str) -> Iterator[Finding]:
    """Sources of which Argo CD has another revision than the file."""
    live = {(source.address, source.chart, source.path): source for source in sources.of(one.document)}
    for source in sources.of(written):
        live_source = live.get((source.address, source.chart, source.path))
        if live_source is None or live_source.revision != source.revision:
            has = f"revision {live_source.revision}" if live_source else "another source"
            yield finding(
                "error",
                f"Argo CD has {has} for {one.name}, but {file} has {source.revision}.",
                "That file is not applied, so a moved pin would change nothing.",
                f"Let an app of apps apply it, or once by hand: kubectl apply -n argocd -f {file}",
                file=file,
                environment=one.environment,
            )


CHECK = DoctorCheck(
    name="argocd-follows",
    looks_at="Live Applications: automatic sync, errors, and whether they have what the files say",
    cure="Let Argo CD apply the files with the pins.",
    check=check,
    needs=frozenset({"argocd"}),
)
