"""Removes all secrets from rendered objects before anything else reads them.

What is hidden leaves a keyed hash: equal secrets look equal within one report, and nothing can be guessed
from it. When in doubt it is hidden: a reader loses a value, nobody loses a password.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stagegate.chart.objects import RenderedObject
from stagegate.difference import (
    manifest_parts,
    secret_arguments,
    secret_fields,
    secret_names,
    secret_texts,
    structured,
)
from stagegate.difference.harmless import is_harmless, is_reference
from stagegate.difference.known_values import KnownValues

_DEEPEST = 120  # levels of an object and of the texts in it
_DEEPEST_TEXT = 4  # texts inside texts: reading each reads all that lie in it
_NOTHING_KNOWN = KnownValues(())


def redacted(
    objects: Sequence[RenderedObject], key: bytes, known: KnownValues = _NOTHING_KNOWN
) -> tuple[RenderedObject, ...]:
    """The objects with `<hidden 1a2b3c4d>` in place of every secret; `known` are secrets by value."""
    hide = _Hider(key, known)
    return tuple(
        RenderedObject(
            api_version=one.api_version,
            kind=one.kind,
            namespace=one.namespace,
            name=one.name,
            template=one.template,
            application=one.application,
            body=hide.body(one),
        )
        for one in objects
    )


class _Hider:
    """One report's key and the secrets known by value."""

    def __init__(self, key: bytes, known: KnownValues) -> None:
        self.key = key
        self.is_known = known.are_in
        self.depth = 0
        self.open_texts = 0
        self.open_names = 0  # fields around this one that should hold only names of Secrets

    def body(self, one: RenderedObject) -> Mapping[str, Any]:
        return self.manifest(one.body)

    def manifest(self, body: Mapping[Any, Any]) -> dict[str, Any]:
        """A Kubernetes object at any depth: of a Secret, in any group, only names are shown."""
        kind = str(body.get("kind", ""))
        core = str(body.get("apiVersion", "v1")) == "v1"
        if kind == "SealedSecret" or (kind == "Secret" and core):
            return {
                str(name): self.field(str(name), value, "Secret")
                if name in secret_fields.OPEN_OF_SECRET
                else self.all(value)
                for name, value in body.items()
            }
        if kind.endswith(("Secret", "Secrets")) and kind not in secret_fields.SOURCES:
            return {
                str(name): self.field(str(name), value, "Secret")
                if name in secret_fields.OPEN_OF_SECRET
                else self.closed(str(name), value)
                for name, value in body.items()
            }
        return {str(name): self.field(str(name), value, kind) for name, value in body.items()}

    def mark(self, value: object) -> str:
        digest = hmac.new(self.key, str(value).encode(), hashlib.sha256).hexdigest()
        return f"<hidden {digest[:8]}>"

    def all(self, value: object) -> object:
        """Every leaf hidden, names kept."""
        if isinstance(value, Mapping):
            return {self.name(str(name)): self.all(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.all(item) for item in value]
        return self.mark(value)

    def closed(self, name: str, value: object) -> object:
        """Every leaf hidden whose name does not say that it only describes something."""
        if isinstance(value, Mapping):
            return {self.name(str(key)): self.closed(str(key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.closed(name, item) for item in value]
        is_open = secret_names.is_about(name) or name.lower() in secret_fields.OPEN_OF_SOURCE
        return self.field(name, value, "") if is_open or isinstance(value, bool) else self.mark(value)

    def template(self, value: object) -> object:
        """The template of a Secret that an operator makes: only references in its data are shown."""
        if isinstance(value, Mapping):
            return {str(key): self.template(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.template(item) for item in value]
        return value if is_reference(str(value)) else self.mark(value)

    def name(self, name: str) -> str:
        return self.mark(name) if self.is_known(name) else name

    def field(self, name: str, value: object, kind: str, *, inside: bool = False) -> object:
        """A value under a name: hidden when the name or the value says so. `inside`: of something secret."""
        if name == "binaryData" and kind == "ConfigMap":
            return self.all(value)
        if isinstance(value, Mapping | list):
            if self.depth >= _DEEPEST:
                return self.mark("")
            holds_names = name in secret_fields.HOLDS_NAMES and not manifest_parts.is_free(kind)
            self.depth += 1
            self.open_names += holds_names
            shown = self.collection(name, value, kind, inside=self.opens(name, kind, inside=inside))
            self.open_names -= holds_names
            self.depth -= 1
            return shown
        if value is None or isinstance(value, bool):
            return value
        named = manifest_parts.is_named(name, kind) or (inside and not secret_names.is_about(name))
        if inside and secret_names.names_users(name):
            named = named or secret_texts.is_user_with_password(str(value))
        if named and not is_harmless(name, str(value)):
            return self.mark(value)
        if isinstance(value, str):
            if self.open_names and name not in secret_fields.SELECTOR and secret_texts.looks_made_up(value):
                return self.mark(value)
            return self.text(name, value)
        return self.mark(value) if self.is_known(str(value)) else value

    def collection(
        self, name: str, value: Mapping[Any, Any] | list[Any], kind: str, *, inside: bool
    ) -> object:
        """A mapping or list under a name. `inside`: it is part of something secret."""
        if isinstance(value, list):
            return list(self.items(name, value, kind, inside=inside))
        if "kty" in value:  # a JSON web key
            return {
                str(key): self.mark(item) if key in secret_fields.OF_WEB_KEY else item
                for key, item in value.items()
            }
        selects = (
            not manifest_parts.is_free(kind) and {"name", "key"} <= value.keys() <= secret_fields.SELECTOR
        )
        return self.mapping(value, kind, inside=inside and not selects)

    def opens(self, name: str, kind: str, *, inside: bool) -> bool:
        """Whether the values below a name are secret. Fields of Kubernetes with names of Secrets are not."""
        if kind == "CustomResourceDefinition":
            return False
        if name in secret_fields.HOLDS_NAMES and not manifest_parts.is_free(kind):
            return False
        return inside or secret_names.is_secret(name)

    def mapping(self, value: Mapping[Any, Any], kind: str, *, inside: bool = False) -> dict[str, object]:
        if manifest_parts.is_manifest(value) and not inside:
            return self.manifest(value)
        named = manifest_parts.label(value)
        labelled = value["name"] if isinstance(value.get("name"), str) else ""
        shown: dict[str, object] = {}
        for key, item in value.items():
            name = str(key)
            if (
                named
                and manifest_parts.plain(name) in secret_fields.VALUE_KEYS
                and (manifest_parts.is_free(kind) or name != "secret")
            ):
                shown[self.name(name)] = self.under(named, item)
            elif (
                kind in secret_fields.SOURCES
                and name in ("data", "stringData", "literal")
                and manifest_parts.is_template(value)
            ):
                shown[name] = self.template(item)
            else:
                under = labelled if labelled and name == "value" else name
                shown[self.name(name)] = self.field(under, item, kind, inside=inside)
        return shown

    def under(self, name: str, value: object) -> object:
        """The value of a pair whose other half is the name of a secret."""
        if isinstance(value, Mapping | list):
            return self.all(value)
        harmless = value is None or isinstance(value, bool) or is_harmless(name, str(value))
        return self.field("", value, "") if harmless else self.mark(value)

    def items(
        self, name: str, values: Sequence[object], kind: str, *, inside: bool = False
    ) -> Iterator[object]:
        """List elements. A flag, a command or the first half of a pair says which of them are secret."""
        secret = secret_arguments.places(values, is_pair=manifest_parts.is_free(kind))
        for index, value in enumerate(values):
            if index in secret:
                yield self.under(secret[index], value)
            else:
                yield self.field(name, value, kind, inside=inside)

    def text(self, name: str, value: str) -> object:
        """A string: structured text is looked into, other text is hidden whole when any of it may be secret."""
        if self.is_known(value):
            return self.mark(value)
        if ("\n" in value or value[:1] in "{[") and len(value) <= secret_texts.LONGEST:
            try:
                inner = structured.read(value)
            except structured.TooMuchError:
                return self.mark(value)
            if inner is not None:
                return {"(text)": self.mark(value), "": self.inner(name, inner)}
        prose = name.lower() in secret_fields.PROSE
        return self.mark(value) if secret_texts.holds_secret(value, name, prose=prose) else value

    def inner(self, name: str, value: structured.Structure) -> object:
        """What a structured text holds; manifests in it are looked into as such."""
        if self.open_texts >= _DEEPEST_TEXT:
            return self.mark("")
        self.open_texts += 1
        shown: object
        if isinstance(value, Mapping) and manifest_parts.is_manifest(value):
            shown = self.manifest(value)
        else:
            shown = self.field(name, value, "")
        self.open_texts -= 1
        return shown
