"""Image references in rendered objects, for the two rules about them. Pure text, no registry."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from stagegate.chart.objects import RenderedObject
from stagegate.chart.rules.ground import Objects, is_definition, leaves


class Used(NamedTuple):
    """One `image:` field: where it is, and the reference in its parts (empty where it has none)."""

    object: RenderedObject
    path: str
    text: str
    repository: str
    tag: str
    digest: str


def used(objects: Objects) -> Iterator[Used]:
    """Every text under a key `image`, in pods and in what operators make pods of."""
    for one in objects:
        if is_definition(one) or one.kind in ("ConfigMap", "Secret"):  # there it may be a picture
            continue
        for path, text in leaves(one.body):
            if path.rpartition(".")[2] == "image" and text and not any(c.isspace() for c in text):
                yield Used(one, path, text, *parts(text))


def parts(reference: str) -> tuple[str, str, str]:
    """Repository, tag and digest; a colon before the last slash is a port."""
    name, _, digest = reference.partition("@")
    folder, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{folder}{slash}{last}", tag, digest


def allowed(repository: str, patterns: tuple[str, ...]) -> bool:
    """Whether `allow-images` lets this repository alone; `*` stands for any text."""
    return any(fnmatchcase(repository, pattern) for pattern in patterns)
