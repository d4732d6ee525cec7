"""Taking everything secret out of rendered objects before anything else looks at them.

What is hidden leaves a keyed hash: equal secrets look equal within one report, and nothing can be guessed
from it. When in doubt it is hidden: a reader loses a value, nobody loses a password.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from stagegate import nesting
from stagegate.chart.objects import RenderedObject
from stagegate.difference.values import at

# names: password, DB_PWD, apiKey, client-secret, connectionString, ...
_CREDENTIAL = re.compile(
    r"pass(?:w(?:or)?d|phrase|code)?(?![a-z])|pwd|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key"
    r"|(?:encryption|signing|master|shared|account|license|session|hmac|aes|ssh|root)[-_.]?key"
    r"|credential|authorization|auth(?![a-z])|bearer|cookie|dsn(?![a-z])|conn(?:ection)?[-_.]?str|salt(?![a-z])"
    r"|jdbc|webhook[-_.]?url|htpasswd|keystore|kubeconfig|dockerconfig|private",
    re.IGNORECASE,
)
# fields of Kubernetes that only name a Secret or a token, never hold one
_NAMES_ONE = frozenset(
    (
        *("secretName", "secretNamespace", "existingSecret", "imagePullSecret", "credentialName"),
        "tokenExpirationSeconds",
    )
)
_HOLDS_NAMES = frozenset(
    (
        *("secret", "secrets", "secretKeyRef", "secretRef", "imagePullSecrets", "serviceAccountToken"),
        *("tokenRequests", "secretStoreRef", "nodePublishSecretRef", "privateKeySecretRef"),
    )
)
_VALUE = re.compile(
    r"://[^\s/@]*@"  # a URL with user information
    r"|-----BEGIN[ A-Z]*PRIVATE KEY"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}"  # a JSON web token
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{12,}|\bxox[abeoprs]-[\w-]{8,}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{12,}|\bAIza[\w-]{20,}|\b(?:sk|rk|pk)[-_](?:live_|test_|ant-)?\w{16,}"
    r"|\$(?:apr1|2[aby]|5|6|argon2\w*)\$"  # a hashed password
    r"|\bnpm_\w{20,}|\bdckr_pat_[\w-]{10,}|\bhv[sb]\.[\w-]{10,}|\bBearer\s+\S{8,}|\bBasic\s+[\w+/=]{8,}"
)
_ASSIGNED = re.compile(rf"(?:{_CREDENTIAL.pattern})[\w.-]*(?:[\"']?\s*[=:>]\s*|\s+)\S", re.IGNORECASE)
_RANDOM = re.compile(
    r"(?<![\w+/=.-])(?:[0-9a-fA-F]{32,}"
    r"|(?=[\w+/-]*\d)(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])[\w+/-]{24,}={0,2})(?![\w+/=.-])"
)
_FINGERPRINT = re.compile(r"sha\d*|digest|checksum|commit|revision|fingerprint|version|image", re.IGNORECASE)
_IDENTITY = re.compile(
    r"user(?:name)?|login|host(?:name)?|port|db(?:name)?|database|name|namespace|type", re.IGNORECASE
)
_PROSE = frozenset({"description", "message", "summary"})
_OPEN_OF_SECRET = frozenset({"apiVersion", "kind", "metadata", "type", "immutable"})


def redacted(
    objects: Sequence[RenderedObject], key: bytes, known: Iterable[str] = ()
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


def secrets_of(objects: Iterable[RenderedObject]) -> frozenset[str]:
    """The values that rendered Secrets hold, plain and encoded: they are secret wherever else they stand."""
    found: set[str] = set()
    for one in objects:
        if one.kind != "Secret":
            continue
        for section in ("data", "stringData"):
            values = at(one.body, section)
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if not _IDENTITY.fullmatch(str(name)):
                    found.update(_spellings(str(value)))
    return frozenset(found)


class _Hider:
    """One report's key and the secrets known by value."""

    def __init__(self, key: bytes, known: Iterable[str]) -> None:
        self.key = key
        values = {
            value for value in known if len(value) >= 4 and value not in ("true", "false", "null", "none")
        }
        self.equal = frozenset(values)
        self.within = tuple(sorted((value for value in values if len(value) >= 10), key=len, reverse=True))

    def body(self, one: RenderedObject) -> Mapping[str, Any]:
        if one.is_secret or one.kind == "SealedSecret":
            return {
                str(name): self.field(str(name), value, "") if name in _OPEN_OF_SECRET else self.all(value)
                for name, value in one.body.items()
            }
        return {str(name): self.field(str(name), value, one.kind) for name, value in one.body.items()}

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

    def name(self, name: str) -> str:
        return self.mark(name) if self.is_known(name) else name

    def field(self, name: str, value: object, kind: str) -> object:
        """A value under a name: hidden when the name or the value says so."""
        if name == "binaryData" and kind == "ConfigMap":
            return self.all(value)
        if self.is_credential(name, value, kind):
            return self.all(value)
        if isinstance(value, Mapping):
            return self.mapping(value, kind)
        if isinstance(value, list):
            return list(self.items(name, value, kind))
        if isinstance(value, str):
            return self.text(name, value)
        return self.mark(value) if self.is_known(str(value)) else value

    def is_credential(self, name: str, value: object, kind: str) -> bool:
        """Whether a name says that its value is secret.

        Kubernetes' own fields that name a Secret say nothing, nor do the properties of a schema; in free text
        (`kind` empty) every such name counts.
        """
        if isinstance(value, bool) or kind == "CustomResourceDefinition" or not _CREDENTIAL.search(name):
            return False
        if kind in ("", "ConfigMap"):
            return True
        return name not in (_HOLDS_NAMES if isinstance(value, Mapping | list) else _NAMES_ONE)

    def mapping(self, value: Mapping[Any, Any], kind: str) -> dict[str, object]:
        named = value.get("name")
        is_entry = isinstance(named, str) and "value" in value
        return {
            self.name(str(key)): self.field(str(named if is_entry and key == "value" else key), item, kind)
            for key, item in value.items()
        }

    def items(self, name: str, values: Sequence[object], kind: str) -> Iterator[object]:
        """List elements; one that follows a flag such as `--password` is its value."""
        flag = False
        for value in values:
            yield self.mark(value) if flag and isinstance(value, str) else self.field(name, value, kind)
            flag = isinstance(value, str) and value.startswith("-") and bool(_CREDENTIAL.search(value))

    def text(self, name: str, value: str) -> object:
        """A string: structured text is looked into, other text is hidden whole when any of it may be secret."""
        if self.is_known(value):
            return self.mark(value)
        if "\n" in value or value[:1] in "{[":
            inner = _structured(value)
            if inner is not None:
                inside = self.field(name, inner, "")
                return {"(text)": self.mark(value), "": inside}
        fingerprint = _FINGERPRINT.search(name) is not None
        if _VALUE.search(value) or (name not in _PROSE and _ASSIGNED.search(value)):
            return self.mark(value)
        if not fingerprint and "sha256:" not in value and _RANDOM.search(value):
            return self.mark(value)
        return value

    def is_known(self, value: str) -> bool:
        return value in self.equal or any(secret in value for secret in self.within)


def _structured(text: str) -> Mapping[str, Any] | list[Any] | None:
    """The mapping or list that a text holds as YAML or JSON, or None."""
    if nesting.bomb(text):
        return None
    try:
        value = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return None
    return value if isinstance(value, dict | list) and value else None


def _spellings(value: str) -> Iterator[str]:
    """A Secret's value as it stands, decoded, encoded, and without surrounding space."""
    yield value
    yield value.strip()
    yield base64.b64encode(value.encode()).decode()
    try:
        plain = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return
    yield plain
    yield plain.strip()
