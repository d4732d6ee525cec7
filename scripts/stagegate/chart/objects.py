"""Parses rendered YAML into Kubernetes objects. A document that is not an object is an error, never skipped.

As in Kubernetes, YAML is version 1.1 (`yes` is a boolean) without times and base-60 numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec
import yaml

from stagegate import nesting, yaml_1_1
from stagegate.errors import Stop
from stagegate.model import digest_of
from stagegate.patterns import pattern

_SOURCE = pattern(r"^# Source: (\S+)\s*$", re.MULTILINE)
_SEPARATOR = pattern(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)
_REPEATED = pattern(r"the key '([^']*)' occurs twice")
_TWO = (
    "One document contains two objects: the line `---` between them is missing, and Helm drops the first one."
)
_GLUED = pattern(r"^.*[^-\s]---[ \t]*$|^---[^-\s].*$", re.MULTILINE)


class RenderedObject(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One object with its template and its whole body (never to be changed).

    `namespace` is the one in the object; empty means that of the release, or none for cluster-wide kinds.
    `application` is the Argo CD Application that deploys it, where several are compared together.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    template: str
    body: Mapping[str, Any]
    application: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Its identity in a cluster, without the API version: group, kind, namespace, name."""
        group = self.api_version.rpartition("/")[0]
        return (group, self.kind, self.namespace, self.name)

    @property
    def label(self) -> str:
        """`Kind/name`, for people and for settings."""
        return f"{self.kind}/{self.name}"

    @property
    def is_secret(self) -> bool:
        """Whether it is a Secret, of which only the digest may be shown (I8)."""
        return self.kind == "Secret" and self.api_version == "v1"

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Every text inside the body with its path, such as `spec.containers[0].image`."""
        return tuple(leaves(self.body))

    @property
    def digest(self) -> str:
        """Digest of the body, the only part of a Secret that may be shown."""
        return digest_of(self.body)


class BrokenDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered document that is not an object: its template, and why. `repeated` is a key that occurs twice."""

    template: str
    why: str
    repeated: str = ""


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a value with its path; `path` is that of the value itself."""
    if isinstance(value, dict):
        pairs = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        pairs = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    else:
        pairs = [(path, value)]
    for place, item in pairs:
        if isinstance(item, str):
            yield place, item
        elif isinstance(item, (dict, list)):
            yield from leaves(item, place)


def parse_each(rendered: str) -> tuple[tuple[RenderedObject, ...], tuple[BrokenDocument, ...]]:
    """The objects of rendered YAML, and every document that is not an object.

    A document with a key twice is both: broken, and an object with the last value, which Helm uses.
    """
    objects: list[RenderedObject] = []
    broken: list[BrokenDocument] = []
    for text in _SEPARATOR.split(rendered.replace("\r\n", "\n")):
        source = _SOURCE.search(text)
        template = source[1] if source else ""
        try:
            bodies = list(_bodies(text, "", template))
        except Stop as stop:
            repeated = _REPEATED.search(stop.why or "")
            if _several(text):
                broken.append(BrokenDocument(template=template, why=_TWO))
            else:
                key = repeated[1] if repeated else ""
                broken.append(BrokenDocument(template=template, why=stop.why, repeated=key))
            body = _last_wins(text) if repeated else None
            bodies = [body] if isinstance(body, dict) else []
        for body in bodies:
            try:
                objects.append(_object(body, "", template))
            except Stop as stop:
                broken.append(BrokenDocument(template=template, why=stop.why))
    return tuple(objects), tuple(broken)


def _several(text: str) -> bool:
    """Whether a document contains several objects: apiVersion or kind occurs twice without indentation."""
    return any(len(re.findall(rf"^{key}:", text, re.MULTILINE)) > 1 for key in ("apiVersion", "kind"))


def _last_wins(text: str) -> object:
    try:
        return yaml_1_1.load_last(text)
    except (yaml.YAMLError, ValueError):
        return None


def parse(rendered: str, where: str) -> tuple[RenderedObject, ...]:
    """The objects of rendered YAML, in order; the items of a List are separate objects. Stop(findings).

    `where` names the environment or release in messages. A document with only comments is skipped. A document
    without apiVersion, kind or metadata.name, with a key twice, or joined to its neighbour is an error.
    """
    objects: list[RenderedObject] = []
    for text in _SEPARATOR.split(rendered.replace("\r\n", "\n")):
        source = _SOURCE.search(text)
        template = source[1] if source else ""
        objects += [_object(body, where, template) for body in _bodies(text, where, template)]
    return tuple(objects)


def configuration(objects: tuple[RenderedObject, ...]) -> str:
    """Digest of a whole rendering in any order; of Secrets it includes only digests."""
    return digest_of(
        sorted((resource.api_version, *resource.key[1:], resource.digest) for resource in objects)
    )


def _bodies(text: str, where: str, template: str) -> Iterator[Mapping[str, Any]]:
    if why := nesting.bomb(text):
        raise _wrong(where, template, f"The document is YAML, but {why}.")
    try:
        document = yaml_1_1.load(text)
    except (yaml.YAMLError, ValueError) as error:
        problem = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line} of the rendered text)" if mark else ""
        glued = _GLUED.search(text)
        hint = f" In {glued[0].strip()[-60:]!r}, the `---` is not on a separate line." if glued else ""
        raise _wrong(where, template, f"The document is not YAML: {problem}{place}.{hint}") from error
    if document is None:
        return
    if not isinstance(document, dict):
        raise _wrong(where, template, f"The document renders {type(document).__name__} instead of an object.")
    if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        for item in document["items"]:
            if not isinstance(item, dict):
                raise _wrong(where, template, "An item of the List is not an object.")
            yield item
        return
    yield document


def read(body: Mapping[str, Any], where: str) -> RenderedObject:
    """One parsed object. Stop(findings) where it has no apiVersion, kind or name."""
    return _object(body, where, "")


def _object(body: Mapping[str, Any], where: str, template: str) -> RenderedObject:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name") or metadata.get("generateName")
    for key, value in (
        ("apiVersion", body.get("apiVersion")),
        ("kind", body.get("kind")),
        ("metadata.name", name),
    ):
        if not isinstance(value, str) or not value.strip():
            keys = ", ".join(str(field) for field in list(body)[:5])
            raise _wrong(
                where,
                template,
                f"The document renders an object without {key}. The keys of the object are: {keys}.",
            )
    return RenderedObject(
        api_version=body["apiVersion"],
        kind=body["kind"],
        namespace=str(metadata.get("namespace") or ""),
        name=str(name),
        template=template,
        body=body,
    )


def _wrong(where: str, template: str, why: str) -> Stop:
    inside = template.partition("/")[2]
    return Stop(
        "findings",
        f"{template or 'A document'} renders something that is not a Kubernetes object, for {where}.",
        why,
        "Correct the template or the values. The usual cause is one {{- or -}} too many, which "
        "removes a line break.",
        file=inside or None,
    )
