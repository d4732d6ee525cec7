"""What changes in Applications and ApplicationSets themselves, besides what they render."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stagegate.argocd_app.sources import mapping
from stagegate.chart import objects
from stagegate.difference import fields, own_sources
from stagegate.difference.compare import compare
from stagegate.difference.risks import Risk
from stagegate.difference.side import Side
from stagegate.difference.values import ObjectChange

# What Argo CD and other controllers do not act on: everything else is a change that a person looks at.
_HARMLESS = re.compile(
    r"spec\.revisionHistoryLimit|metadata\.(?:labels|annotations)"
    r"(?:\.(?:\w[\w-]*|\"(?:[\w.-]+|app\.kubernetes\.io/(?!instance)[\w.-]+)\"))?"
)


def with_bodies(
    changed: Iterable[ObjectChange], new: Side, key: bytes, secrets: Iterable[str]
) -> Iterator[ObjectChange]:
    """The changes, with the redacted body of each Application that is new. `secrets` are shown nowhere."""
    documents = {one.name: one.document for one in _deployed(new)} | dict(new.unclaimed)
    for one in changed:
        if one.change != "added" or one.name not in documents or one.kind != "Application":
            yield one
            continue
        comparison = compare((), (objects.read(documents[one.name], "pins"),), key, secrets)
        yield comparison.changes[0] if comparison.changes else one


def changes(old: Side, new: Side, renamed: Mapping[str, str]) -> Iterator[ObjectChange]:
    """Applications and sets that come, go or change. `renamed` are new names by old ones."""
    before = {one.name: one.document for one in _deployed(old)}
    after = {one.name: one.document for one in _deployed(new)}
    for name, document in before.items():
        other = after.get(renamed.get(name, name))
        if other is None:
            yield _object("removed", document)
        elif field_changes := fields.changed(_own(document), _own(other)):
            yield _object("changed", other, field_changes)
    taken = {renamed.get(name, name) for name in before}
    yield from (_object("added", document) for name, document in after.items() if name not in taken)
    yield from _unclaimed(old, new)
    for name, document in new.sets.items():
        previous = old.sets.get(name)
        if previous is not None and (field_changes := fields.changed(_set(previous), _set(document))):
            yield _object("changed", document, field_changes)
        elif previous is None and old.sets:
            yield _object("added", document)


def _unclaimed(old: Side, new: Side) -> Iterator[ObjectChange]:
    """Applications that the sets make for no environment, and that come, go or change."""
    before, after = old.unclaimed, new.unclaimed
    for name, document in after.items():
        if name not in before and name not in old.applications(children=False):
            yield _object("added", document)
        elif name in before and (field_changes := fields.changed(dict(before[name]), dict(document))):
            yield _object("changed", document, field_changes)
    for name, document in before.items():
        if name not in after and name not in new.applications(children=False):
            yield _object("removed", document)


def risks(changed: list[ObjectChange]) -> Iterator[Risk]:
    """The risks of these changes: Argo CD acts on them, and their effect is not rendered."""
    for one in changed:
        if one.change == "removed":
            detail = (
                "is removed, and because the Application has a finalizer, Argo CD also deletes "
                "everything that the Application deployed"
            )
            yield Risk(kind="not-rendered", object=one.label, detail=detail)
        if one.change == "added" and one.kind in ("Application", "ApplicationSet"):
            detail = "is new, and no promotion rule has checked what the Application deploys"
            yield Risk(kind="not-rendered", object=one.label, detail=detail)
        for field in one.fields:
            if _HARMLESS.fullmatch(field.path) or one.change != "changed":
                continue
            what = "its destination" if field.path.startswith("spec.destination") else field.path
            detail = f"{what} changes from {field.before or 'nothing'} to {field.after or 'nothing'}"
            yield Risk(
                kind="not-rendered",
                object=one.label,
                detail=f"{detail}, and its effect on the cluster is not rendered",
            )


def source_risks(old: Side, new: Side, renamed: Mapping[str, str]) -> Iterator[Risk]:
    """The risks in the sources of all Applications, and in list elements of no environment."""
    previous_elements = [one for root in old.roots() for one in root.others]
    for root in new.roots():
        if any(one not in previous_elements for one in root.others):
            detail = (
                "has new or changed list elements that belong to no environment, so no rule checks "
                "what their Applications deploy"
            )
            yield Risk(kind="not-rendered", object=root.file, detail=detail)
        elif any(one not in root.others for one in _others(old, root.file)):
            detail = (
                "loses list elements that belong to no environment, so Argo CD deletes the "
                "Applications of these elements"
            )
            yield Risk(kind="not-rendered", object=root.file, detail=detail)
    for name, document in new.unclaimed.items():
        if old.unclaimed.get(name) != document and name not in old.applications(children=False):
            detail = (
                "is made by an ApplicationSet of this environment, but belongs to no environment, "
                "so no rule checks the Application"
            )
            yield Risk(kind="not-rendered", object=f"Application/{name}", detail=detail)
    before = {renamed.get(name, name): one for name, one in old.applications(children=True).items()}
    for name, one in new.applications(children=True).items():
        was = before[name].document if name in before else None
        yield from own_sources.risks(f"Application/{name}", was, one.document, new.our_places)


def of_nobody(old: Side, new: Side) -> Iterator[str]:
    """A sentence about each set whose list elements of no environment change."""
    for file in dict.fromkeys(
        root.file for side in (old, new) for root in side.roots() if root.kind == "set"
    ):
        if _others(old, file) != _others(new, file):
            yield f"Not rendered: list elements of {file} change, but they belong to no environment."


def _others(side: Side, file: str) -> list[Any]:
    return [one for root in side.roots() if root.file == file for one in root.others]


def renamed(old: Side, new: Side) -> dict[str, str]:
    """Applications with another name that are the same otherwise: the new name by the old one."""
    before = {one.name: one.document for one in _deployed(old)}
    after = {one.name: one.document for one in _deployed(new)}
    gone = [name for name in before if name not in after]
    came = [name for name in after if name not in before]
    pairs: dict[str, str] = {}
    for name in gone:
        alike = [
            other
            for other in came
            if other not in pairs.values() and _origin(before[name]) == _origin(after[other])
        ]
        if len(alike) == 1 or (len(gone) == len(came) == 1):
            pairs[name] = alike[0] if alike else came[0]
    return pairs


def _deployed(side: Side) -> list[Any]:
    """The Applications of the pins and sets; children of others are among the objects of these."""
    return [one for one in side.applications(children=False).values() if not one.note]


def _origin(document: Mapping[str, Any]) -> object:
    spec = mapping(document.get("spec"))
    listed = spec.get("sources") or [spec.get("source")]
    places = [[mapping(one).get(key) for key in ("repoURL", "chart", "path", "ref")] for one in listed if one]
    return (places, mapping(spec.get("destination")).get("namespace"))


def _own(document: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of an Application but the sources that Argo CD takes: `sources`, or the one `source`."""
    spec = mapping(document.get("spec"))
    taken = ("sources", "info") if spec.get("sources") else ("source", "sources", "info")
    return {**document, "spec": {key: value for key, value in spec.items() if key not in taken}}


def _set(document: Mapping[str, Any]) -> dict[str, Any]:
    """A set without its template and the elements of its lists: what these make is compared."""
    spec = {
        key: _without_elements(value)
        for key, value in mapping(document.get("spec")).items()
        if key not in ("template", "templatePatch")
    }
    return {**document, "spec": spec}


def _without_elements(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            key: _without_elements(item)
            for key, item in value.items()
            if key not in ("elements", "elementsYaml", "template")
        }
    return [_without_elements(item) for item in value] if isinstance(value, list) else value


def _object(change: Any, document: Mapping[str, Any], field_changes: Any = ()) -> ObjectChange:
    metadata = mapping(document.get("metadata"))
    return ObjectChange(
        change=change,
        api_version="argoproj.io/v1alpha1",
        kind=str(document.get("kind") or "Application"),
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata.get("name") or ""),
        fields=tuple(field_changes),
    )
