"""Two renderings of one environment, object by object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stagegate.chart.objects import RenderedObject
from stagegate.difference import fields, kinds, object_order, pairs, redaction
from stagegate.difference.known_values import KnownValues, secrets_of
from stagegate.difference.values import Difference, ImageChange, ObjectChange, reference, walk

Key = tuple[str, str, str, str, str]
_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")  # the letters kustomize writes hashes with
Used = dict[str, dict[str, set[str]]]


def compare(
    before: Sequence[RenderedObject],
    after: Sequence[RenderedObject],
    key: bytes,
    secrets: Iterable[str] = (),
) -> Difference:
    """The difference of two renderings, without secrets.

    Objects are matched by Application, API group, kind, namespace and name. `key` is random bytes of this one
    report; hidden values are told apart by it. `secrets` are values that must not be shown wherever they stand;
    those of the rendered Secrets are known without being told.
    """
    secret_values = KnownValues(frozenset(secrets) | secrets_of(before) | secrets_of(after))
    left_out = tuple(_left_out(before, after))
    before, after = ([one for one in side if not kinds.is_left_out(one.body)] for side in (before, after))
    old = {_key(one): one for one in redaction.redacted(before, key, secret_values)}
    new = _renamed({_key(one): one for one in redaction.redacted(after, key, secret_values)}, old)
    several = len({one.application for one in (*old.values(), *new.values())}) > 1
    changes: list[ObjectChange] = []
    restarts: list[str] = []
    noise: list[str] = []
    for name in [*old, *(name for name in new if name not in old)]:
        one = _change(old.get(name), new.get(name), several=several)
        restarts += [one.label] if kinds.restarts(one) else []
        if one.change != "changed" or any(not fields.is_noise(field) for field in one.fields):
            changes.append(one)
        elif one.fields:
            noise.append(one.label)
    used_before, used_after = _images(old.values()), _images(new.values())
    images = tuple(_image_changes(used_before, used_after))
    registries = {
        ImageChange(repository=name, before=(), after=(), objects=()).registry for name in used_before
    }
    return Difference(
        images=images,
        changes=object_order.by_change(pairs.paired(changes)),
        restarts=tuple(restarts),
        notes=left_out,
        noise=tuple(noise),
        objects=(len(old), len(new)),
        registries=tuple(sorted(registries)),
        applications=tuple(dict.fromkeys(one.application for one in (*before, *after) if one.application)),
    )


def _left_out(before: Sequence[RenderedObject], after: Sequence[RenderedObject]) -> Iterator[str]:
    """A sentence about hooks that change and that Argo CD never applies."""
    sides = [
        {one.label: one.digest for one in side if kinds.is_left_out(one.body)} for side in (before, after)
    ]
    labels = [
        name for name in dict.fromkeys((*sides[0], *sides[1])) if sides[0].get(name) != sides[1].get(name)
    ]
    if labels:
        yield (
            "These objects are not compared, because they are helm test hooks, which Argo CD does not "
            f"apply: {', '.join(labels[:5])}."
        )


def _renamed(
    new: Mapping[Key, RenderedObject], old: Mapping[Key, RenderedObject]
) -> dict[Key, RenderedObject]:
    """New objects under the keys of the old ones that only a content hash at the end of their names sets apart.

    Kustomize names generated ConfigMaps and Secrets so; each content is an object of its own to Kubernetes, and
    one thing that changes to people.
    """
    gone = [key for key in old if key not in new]
    renamed: dict[Key, RenderedObject] = {}
    for key, one in new.items():
        same = [other for other in gone if key not in old and _stem(other) == _stem(key) != key]
        others = [other for other in new if other not in old and _stem(other) == _stem(key)]
        renamed[same[0] if len(same) == len(others) == 1 else key] = one
    return renamed


def _stem(key: Key) -> Key:
    *place, kind, namespace, name = key
    application, group = place
    stem = _HASH.sub("", name)
    return (application, group, kind, namespace, stem) if kind in ("ConfigMap", "Secret") else key


def _key(one: RenderedObject) -> Key:
    return (one.application, *one.key)


def _change(before: RenderedObject | None, after: RenderedObject | None, *, several: bool) -> ObjectChange:
    one = after or before
    assert one is not None  # noqa: S101  one of the two sides named it
    field_changes = fields.changed(before.body, after.body) if before and after else ()
    return ObjectChange(
        change="changed" if before and after else "added" if after else "removed",
        api_version=one.api_version,
        kind=one.kind,
        namespace=one.namespace,
        name=one.name,
        application=one.application if several else "",
        fields=tuple(field for field in field_changes if not fields.is_noise(field)) or field_changes,
        before=before.body if before else None,
        after=after.body if after else None,
    )


def _images(objects: Iterable[RenderedObject]) -> Used:
    """repository -> tag or digest -> the objects that run it."""
    used: Used = {}
    for one in objects:
        for path, mapping in walk(one.body):
            image = mapping.get("imageName")
            if len(path) >= 2 and path[-2] in ("containers", "initContainers", "ephemeralContainers"):
                image = mapping.get("image", image)
            if isinstance(image, str) and image:
                repository, tag = reference(image)
                used.setdefault(repository, {}).setdefault(tag, set()).add(one.label)
    return used


def _image_changes(
    before: Mapping[str, Mapping[str, set[str]]], after: Mapping[str, Mapping[str, set[str]]]
) -> Iterator[ImageChange]:
    for repository in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(repository, {}), after.get(repository, {})
        if set(old) != set(new):
            where = set().union(*new.values()) if new else set().union(*old.values())
            yield ImageChange(
                repository=repository,
                before=tuple(sorted(old)),
                after=tuple(sorted(new)),
                objects=tuple(sorted(where)),
            )
