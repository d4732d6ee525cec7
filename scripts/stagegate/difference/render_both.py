"""Both sides of a change rendered as Argo CD would, their difference, and the images the environment would run."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec

from stagegate import difference as differences
from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.same_repository import same_repository
from stagegate.chart import render
from stagegate.chart.objects import RenderedObject
from stagegate.clients import hub, registry
from stagegate.clients.connections import Connections
from stagegate.difference import Difference, kustomize
from stagegate.difference import images as images_seen
from stagegate.difference.change import RenderedChange, RenderFacts, RiskSeen
from stagegate.errors import Stop
from stagegate.model import DIGEST, to_json
from stagegate.pins import changes, pinned_version
from stagegate.pins import files as pin_files
from stagegate.pins.changes import Changed
from stagegate.pins.tree import PinsTree

_CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_RELEASE_ONLY = Changed()
Change = TypeVar("Change", bound=RenderedChange)


class NotRendered(Exception):
    """Nothing here can be rendered, for a reason that is no failure; the message says which."""


def compared(
    connections: Connections,
    facts: RenderFacts,
    subject: Change,
    before: PinsTree,
    after: PinsTree,
    seen: Changed = _RELEASE_ONLY,
) -> tuple[Change, Difference | None]:
    """The subject with images and risks of what would be rendered, and the difference for people.

    What cannot be rendered is said (`rendered` false), and is a risk where more than the release changes (`seen`);
    what fails to render is trouble, never "no risk".
    """
    subject = msgspec.structs.replace(subject, besides=seen.more)
    try:
        before = _with_values(connections, facts, subject.environment, before)
        after = _with_values(connections, facts, subject.environment, after, known=before)
        old = objects(connections, facts, subject.environment, before)
        plain = _beside(facts, subject.environment, before)
    except NotRendered as note:
        return msgspec.structs.replace(subject, render_note=str(note), risks=_unseen(seen.more)), None
    except Stop as stop:
        return _troubled(subject, stop)
    try:
        new = objects(connections, facts, subject.environment, after)
    except NotRendered as note:  # what could be seen before must not hide itself by the change
        said = f"after this change nothing can be rendered: {note}"
        return msgspec.structs.replace(subject, render_trouble=said), None
    except Stop as stop:
        return _troubled(subject, stop)
    found = differences.compare(old, new, secrets.token_bytes(16))
    risks = tuple(
        RiskSeen(kind=risk.kind, object=risk.object, detail=risk.detail) for risk in differences.risks(found)
    )
    if _beside(facts, subject.environment, after) != plain:
        detail = "its destination, or a source beside the app's chart, changes and is not rendered"
        risks = (*risks, RiskSeen(kind="not-rendered", object="Application", detail=detail))
    risks = (*risks, *_unseen((*seen.hidden, *seen.content)))
    for gone, came in images_seen.replaced(found, facts.settings.images):
        detail = f"runs {came} instead of {gone}"
        risks = (*risks, RiskSeen(kind="image-replaced", object=gone, detail=detail))
    images = images_seen.seen(connections.registry, new, facts.settings)
    here = not _applications(facts, subject.environment, after)
    return msgspec.structs.replace(
        subject,
        rendered=True,
        risks=risks,
        carried=tuple(sorted({risk.kind for risk in risks})) if here else (),
        images=images,
        irreversible=differences.irreversible(found),
    ), found


def remembered(subject: Change, told: Collection[str]) -> Change:
    """The subject with the classes of risk that were seen when its commit was made, where it could be rendered."""
    known = tuple(
        RiskSeen(kind=kind, object=subject.environment, detail="seen when this was proposed")
        for kind in sorted(set(told) - {risk.kind for risk in subject.risks})
    )
    return msgspec.structs.replace(subject, risks=(*subject.risks, *known), carried=tuple(sorted(told)))


def _unseen(paths: Iterable[str]) -> tuple[RiskSeen, ...]:
    """A risk for each file that changes and that nobody could read the effect of."""
    return tuple(
        RiskSeen(kind="not-rendered", object=path, detail="changes, and what it does is not rendered")
        for path in paths
    )


def _troubled(subject: Change, stop: Stop) -> tuple[Change, None]:
    """The subject with why nothing could be rendered; what only a person can set right ends the run."""
    if stop.reason in ("missing-tool", "missing-permission", "wrong-source"):
        raise stop
    return msgspec.structs.replace(subject, render_trouble=f"{stop.what} {stop.why}"), None


def objects(
    connections: Connections, facts: RenderFacts, environment: str, files: PinsTree
) -> tuple[RenderedObject, ...]:
    """Everything the Applications that pin an environment would render. NotRendered when no pin is one."""
    found: list[RenderedObject] = []
    documents = _applications(facts, environment, files)
    if not documents:
        return _kustomized(connections, facts, environment, files)
    for document in _once(documents):
        name = facts.settings.chart_reference.rpartition("/")[2]
        wanted = render_inputs.render_inputs(document, partial(_file, connections, facts, files), chart=name)
        host = wanted.chart.url.partition("/")[0]
        if wanted.chart.kind == "registry" and host not in facts.settings.registry_hosts:
            raise NotRendered(f"the chart comes from {host}, which the settings do not name")
        archive = chart_archive(connections.registry, wanted.chart)
        found += render.render(archive, wanted.inputs, where=wanted.application)
    return tuple(found)


def _with_values(
    connections: Connections,
    facts: RenderFacts,
    environment: str,
    files: PinsTree,
    known: PinsTree | None = None,
) -> PinsTree:
    """A side with all values files of the default branch that its Applications name, read at once.

    What `known`, the other side, holds of the same commit is not read again.
    """
    named = changes.values_of(connections.pins, facts.settings, environment, facts.base, files.contents)
    same = known.contents if known and known.at == files.at else {}
    contents = {path: same[path] for path in named if path in same} | dict(files.contents)
    missing = sorted(named - contents.keys())
    blobs = connections.pins.files(files.at, missing) if missing else {}
    read = {path: blob.content if blob else None for path, blob in blobs.items()}
    return PinsTree(contents={**contents, **read}, at=files.at)


def _applications(facts: RenderFacts, environment: str, files: PinsTree) -> list[dict[str, Any]]:
    policy = facts.policy_of(environment)
    return [
        document
        for pin in policy.pins
        for document in pinned_version.read(pin, files.contents, facts.settings, policy).applications
        if render_inputs.is_application(document)
    ]


def _beside(facts: RenderFacts, environment: str, files: PinsTree) -> tuple[bytes, ...]:
    """What Applications say besides the source that is rendered: other sources that make objects, and where to."""
    name = facts.settings.chart_reference.rpartition("/")[2]
    found = []
    for document in _applications(facts, environment, files):
        rendered = render_inputs.render_inputs(document, lambda *_: b"", chart=name).chart.index
        spec: Any = document["spec"]
        listed = spec["sources"] if rendered >= 0 else ()
        others = [
            {key: value for key, value in one.items() if key != "targetRevision" or not one.get("ref")}
            for index, one in enumerate(listed)
            if index != rendered and (one.get("path") or one.get("chart") or "ref" not in one)
        ]
        found.append(to_json([spec.get("destination"), others]))
    return tuple(found)


def _kustomized(
    connections: Connections, facts: RenderFacts, environment: str, files: PinsTree
) -> tuple[RenderedObject, ...]:
    """What the kustomizations that pin an environment build, where there is a clone and a program for it."""
    named = dict.fromkeys(pin_files.file_of(pin) for pin in facts.policy_of(environment).pins)
    kustomizations = [file for file in named if PurePosixPath(file).stem == "kustomization"]
    if not kustomizations or connections.clone is None:
        raise NotRendered("no pin of this environment is an Argo CD Application")
    contents = {file: content for file, content in files.contents.items() if content is not None}
    built = [kustomize.build(connections.clone, files.at, file, contents) for file in kustomizations]
    if any(one is None for one in built):
        raise NotRendered(
            "neither kustomize nor kubectl is here, or the clone lacks the default branch's commit"
        )
    return tuple(rendered for one in built if one for rendered in one)


def chart_archive(source: registry.Registry, place: render_inputs.ChartPlace) -> bytes:
    """The packaged chart an Application names. Stop(missing-file) when the registry has none of that version."""
    if place.kind != "registry":
        raise NotRendered(f"the chart comes from {place.url}, which is no OCI registry")
    repository = registry.parse(place.url)
    pinned = DIGEST.fullmatch(place.revision)
    target = (
        repository.at(place.revision) if pinned else repository.tagged(registry.chart_tag(place.revision))
    )
    manifest = source.manifest(target)
    layers = manifest.document.get("layers", []) if manifest else []
    layer = next((one for one in layers if one.get("mediaType") == _CHART_LAYER), None)
    if layer is None:
        raise Stop(
            "missing-file",
            f"There is no chart at {target}.",
            "The registry has no such version, or something that is not a Helm chart.",
            "Publish the chart first, or correct the pin.",
        )
    return source.blob(repository, str(layer["digest"]))


def _file(
    connections: Connections, facts: RenderFacts, files: PinsTree, address: str, revision: str, path: str
) -> bytes | None:
    """A values file where an Application says it is: in the pins or the app repository."""
    answers = []
    for side in (connections.pins, connections.app):
        answers.append(same_repository(address, f"{side.server_url}/{side.repository}"))
        if answers[-1] == "ours":
            return _content(side, facts, files, revision, path)
    if "unknown" in answers:
        raise NotRendered(f"nobody can tell from here whether {address} is {side.repository}")
    raise NotRendered(f"values live in {address}, which is neither the app's nor the pins' repository")


def _content(side: hub.Hub, facts: RenderFacts, files: PinsTree, revision: str, path: str) -> bytes | None:
    """A file of a side; what stands on the pins' default branch is taken from the side under judgement."""
    at_base = side.repository == facts.pins_repository and changes.is_branch(revision, facts.base)
    if at_base and path in files.contents:
        return files.contents[path]
    blob = side.files(files.at if at_base else revision, [path])[path]
    return blob.content if blob else None


def _once(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    for document in documents:
        if document not in seen:
            seen.append(document)
            yield document
