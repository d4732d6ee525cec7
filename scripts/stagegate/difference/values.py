"""The values of a difference. Bodies in it are redacted: they can be shown, stored and sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

Body = Mapping[str, Any]


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field, old and new as text; None where it is absent.

    Of texts with several lines only those that change, and `diff` has them with the lines around.
    """

    path: str
    before: str | None
    after: str | None
    diff: str = ""


class ObjectChange(msgspec.Struct, frozen=True, kw_only=True):
    """One object that is added, removed or changed, with its redacted bodies.

    `was`: the removed object that an added one takes the place of; `fields` are what differs besides the name.
    """

    change: Literal["added", "removed", "changed"]
    api_version: str
    kind: str
    namespace: str
    name: str
    application: str = ""
    was: str = ""
    fields: tuple[FieldChange, ...] = ()
    before: Body | None = None
    after: Body | None = None

    @property
    def label(self) -> str:
        """`Kind/name`, with its Application where there are several."""
        return (
            f"{self.kind}/{self.name} in {self.application}"
            if self.application
            else f"{self.kind}/{self.name}"
        )

    @property
    def group(self) -> str:
        """The API group, empty for the core."""
        return self.api_version.rpartition("/")[0]


class ImageChange(msgspec.Struct, frozen=True, kw_only=True):
    """One image repository: the tags or digests that run before and after, and in which objects."""

    repository: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    objects: tuple[str, ...]

    @property
    def registry(self) -> str:
        """The host an image comes from; `docker.io` where the reference names none."""
        host, slash, _ = self.repository.partition("/")
        return host if slash and ("." in host or ":" in host or host == "localhost") else "docker.io"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """All that changes.

    `objects` counts those rendered before and after; `noise` names the objects in which only version labels and
    checksums change; `registries` are the hosts of all images before; `applications` deploy all this;
    `restarts` are workloads whose pods are replaced; `first_party` are the image repositories of the
    app; `notes` are sentences about what could not be seen.
    """

    images: tuple[ImageChange, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    noise: tuple[str, ...] = ()
    objects: tuple[int, int] = (0, 0)
    registries: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    first_party: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """True when nothing but noise changes."""
        return not self.changes


def at(body: Body | None, *path: str) -> Any:
    """The value at a path of keys, or None."""
    current: Any = body
    for key in path:
        current = current.get(key) if isinstance(current, Mapping) else None
    return current


def walk(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """Every mapping inside a value with the keys and indexes that lead to it."""
    if isinstance(value, Mapping):
        yield path, value
        for key, item in value.items():
            yield from walk(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from walk(item, (*path, str(index)))


def reference(image: str) -> tuple[str, str]:
    """Repository and tag or digest of an image reference; `latest` where neither is written."""
    bare, at_, digest = image.partition("@")
    head, colon, tag = bare.rpartition(":")
    if colon and "/" not in tag:
        return head, f"{tag}@{digest}" if at_ else tag
    return bare, digest or "latest"


def notes(body: Body | None) -> Mapping[str, str]:
    """metadata.annotations, or nothing."""
    stored = at(body, "metadata", "annotations")
    return stored if isinstance(stored, Mapping) else {}
