"""applications-distinct: each environment has its own Application, place and values, which nothing else moves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.model import Finding
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.documents import Document

_UPDATER = "argocd-image-updater.argoproj.io/image-list"
_PODS = "/spec/template/spec/containers/0/image"


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for repeated Applications, shared places and values, and other tools that change the image."""
    documents = list(facts.applications())
    known = {document.name: document for document in documents}
    for name in sorted(known):
        files = [
            document.file
            for document in documents
            if document.name == name and _namespace(document) == _namespace(known[name])
        ]
        if len(files) > 1:
            yield finding(
                "warning",
                f"The Application {name} is declared twice: in {files[0]} and {files[1]}.",
                "What is applied last wins, and a promotion changes only one of them.",
                "Delete one of the two.",
                file=files[1],
            )
    yield from _one_place(facts, known)
    for _, settings, environment in facts.places:
        others = {one.name for one in settings.environments} - {environment.name}
        for name in environment.argo.application_names:
            if name in known:
                yield from _values(known[name], environment.name, others)
                yield from _moved_elsewhere(known[name])


def _namespace(document: Document) -> str:
    return str(mapping(document.content.get("metadata")).get("namespace") or "")


def _one_place(facts: DoctorFacts, known: dict[str, Document]) -> Iterator[Finding]:
    """Findings for two environments of an app with the same place in a cluster."""
    for _, settings in facts.valid:
        places: dict[tuple[str, ...], tuple[str, str]] = {}
        for environment in settings.environments:
            for document in [known[name] for name in environment.argo.application_names if name in known]:
                target = mapping(mapping(document.content.get("spec")).get("destination"))
                cluster = str(target.get("server") or target.get("name") or "")
                namespace = str(target.get("namespace") or "")
                releases = [
                    str(one.options("helm").get("releaseName") or "") for one in sources.of(document.content)
                ]
                paths = [one.path or one.chart for one in sources.of(document.content)]
                place = (cluster, namespace, *releases, *paths)
                first, other = places.setdefault(place, (document.name, environment.name))
                if namespace and other != environment.name:
                    yield finding(
                        "error",
                        f"The Applications {first} and {document.name} deploy to one namespace, {namespace}.",
                        f"{other} and {environment.name} then overwrite the objects of each other.",
                        "Write a separate `namespace` under the `destination` of each Application.",
                        file=document.file,
                        environment=environment.name,
                    )


def _values(document: Document, own: str, others: set[str]) -> Iterator[Finding]:
    """Findings for values files of another environment, and for `$name/` without a source."""
    for source in sources.of(document.content):
        for one in items(source.options("helm").get("valueFiles")):
            path = str(one)
            words = set(re.split(r"[^A-Za-z0-9-]+", path))
            foreign = sorted(others & words)
            if foreign and own not in words:
                yield finding(
                    "warning",
                    f"The Application {document.name} of {own} reads {path}, which is named after {foreign[0]}.",
                    f"A change for {foreign[0]} then reaches {own} too, without a promotion.",
                    f"Write the values file of {own}.",
                    file=document.file,
                    environment=own,
                )
            name = path.partition("/")[0].removeprefix("$")
            if path.startswith("$") and sources.referenced(document.content, name) is None:
                yield finding(
                    "error",
                    f"The Application {document.name} reads {path}, and none of its sources has `ref: {name}`.",
                    "Argo CD reports a ComparisonError for it.",
                    f"Write `ref: {name}` in the source with the values.",
                    file=document.file,
                    environment=own,
                )


def _moved_elsewhere(document: Document) -> Iterator[Finding]:
    """Findings for another tool that changes the image, and for differences that Argo CD ignores."""
    notes = mapping(mapping(document.content.get("metadata")).get("annotations"))
    if _UPDATER in notes:
        yield finding(
            "warning",
            f"Argo CD Image Updater moves the images of the Application {document.name} too.",
            "Its changes are no promotions: no rule and no gate sees them.",
            f"Delete the annotation {_UPDATER}; `stagegate init --import` takes its settings over.",
            file=document.file,
        )
    for one in items(mapping(document.content.get("spec")).get("ignoreDifferences")):
        pointers = [str(pointer) for pointer in items(mapping(one).get("jsonPointers"))]
        hiding = [
            pointer for pointer in pointers if _PODS.startswith(pointer) or pointer.startswith(_PODS[:-8])
        ]
        if hiding and str(mapping(one).get("kind")) in ("Deployment", "StatefulSet", "DaemonSet", "*"):
            yield finding(
                "warning",
                f"The Application {document.name} ignores differences at {hiding[0]}, where the image is.",
                "With RespectIgnoreDifferences, Argo CD does not apply a new image, and the gate never passes.",
                "Name the one field that a controller writes, such as /spec/replicas.",
                file=document.file,
            )


CHECK = DoctorCheck(
    name="applications-distinct",
    looks_at="What Applications of several environments share, and what else moves their images",
    cure="Give each environment its own.",
    check=check,
)
