"""Hook Jobs (migrations): which of their changes only follow the release, and which need a review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stagegate.difference import fields, kinds
from stagegate.difference.values import Difference, FieldChange, ObjectChange, at, notes, reference, walk

IRREVERSIBLE = "stagegate/irreversible"
_IMAGE = ".image"
_SOURCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ConfigMap": (("configMap", "name"), ("configMapRef", "name"), ("configMapKeyRef", "name")),
    "Secret": (("secret", "secretName"), ("secret", "name"), ("secretRef", "name"), ("secretKeyRef", "name")),
}


def risky(difference: Difference) -> Iterator[tuple[str, str]]:
    """Label and sentence of each hook Job that is new, or in which more changes than the release brings."""
    for one in _hooks(difference):
        if one.change == "added" and not one.was:
            yield one.label, "is new and runs during the roll-out"
        elif more := _more(one, difference):
            yield (
                one.label,
                "runs during the roll-out, and not only the image of the Job changes, but also "
                f"{', '.join(more[:3])}",
            )


def followers(difference: Difference) -> Iterator[str]:
    """A sentence for each hook Job in which only the release's images, version labels and checksums change."""
    for one in _hooks(difference):
        if (one.change == "changed" or one.was) and not _more(one, difference):
            yield (
                f"{one.label} runs during the roll-out. Only the image of the Job changes, to the "
                "image of this release."
            )


def unmarked(difference: Difference) -> tuple[str, ...]:
    """Labels of hook Jobs that ran for one of the two sides, and that nothing marks as impossible to undo."""
    return tuple(
        one.label
        for one in difference.changes
        if one.kind == "Job" and kinds.is_hook(one) and not is_marked(one)
    )


def is_marked(one: ObjectChange) -> bool:
    """Whether an object is marked irreversible on either side."""
    return any(notes(body).get(IRREVERSIBLE, "false") != "false" for body in (one.before, one.after))


def _hooks(difference: Difference) -> Iterator[ObjectChange]:
    return (
        one
        for one in difference.changes
        if one.change != "removed" and one.kind == "Job" and kinds.is_hook(one)
    )


def _more(one: ObjectChange, difference: Difference) -> list[str]:
    """What changes in a Job besides the release's images, version labels and checksums."""
    ours = difference.first_party
    fields_of_job = [
        field.path for field in one.fields if not fields.is_noise(field) and not _is_own_image(field, ours)
    ]
    versions = [
        (reference(field.before or "")[1], reference(field.after or "")[1])
        for field in one.fields
        if _is_own_image(field, ours)
    ]
    return [*fields_of_job, *_read(one, difference, versions)]


def _is_own_image(field: FieldChange, ours: tuple[str, ...]) -> bool:
    """Whether a field is the image of a container, and goes from one tag of an image of ours to another."""
    if not field.path.endswith(_IMAGE) or "ontainers" not in field.path:
        return False
    before, after = (reference(value)[0] if value else "" for value in (field.before, field.after))
    return before == after and before in ours


def _read(one: ObjectChange, difference: Difference, versions: list[tuple[str, str]]) -> list[str]:
    """ConfigMaps and Secrets that the Job mounts or has in its environment, and that become others.

    A value that only follows the version is none.
    """
    names = set(_named(one.after))
    return [
        other.label
        for other in difference.changes
        if (other.kind, other.name) in names
        and other.namespace == one.namespace
        and not (other.fields and all(_follows(field, versions) for field in other.fields))
    ]


def _named(body: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    for _, inner in walk(at(body, "spec", "template", "spec")):
        for kind, places in _SOURCES.items():
            for place in places:
                if isinstance(name := at(inner, *place), str):
                    yield kind, name


def _follows(field: FieldChange, versions: list[tuple[str, str]]) -> bool:
    """Whether a field differs by nothing but the version, or changes with every release anyway."""
    if fields.is_noise(field):
        return True
    if field.before is None or field.after is None:
        return False
    pairs = [*versions, *((old.removeprefix("v"), new.removeprefix("v")) for old, new in versions)]
    return any(old and field.before.replace(old, new) == field.after for old, new in pairs)
