"""Values that are not secret although their key suggests it: references, paths, switches, addresses."""

from __future__ import annotations

import re

from stagegate.difference import known_forms, random_text, secret_names

_REFERENCE = re.compile(
    r"\$[({]\w[\w.-]*[)}]|\$\([^)\"']{1,200}\)|`[^`\"']{1,200}`|\$\w+|\$\{\{[^}\"']*\}\}|\{\{[^}\"']*\}\}|%\w|%\([\w.]+\)s"
    r"|<[\w .:/-]*>|\[[\w .-]*\]|\*+|x{3,}|\.{3}|~|null|nil|none",
    re.IGNORECASE,
)  # fmt: skip
_SWITCH = re.compile(
    r"(?:true|false|yes|no|on|off|enabled?|disabled?|required|optional|auto|always|never|ifnotpresent|basic|bearer|oidc"
    r"|oauth2?|ldaps?|saml|jwt|rbac|mtls|tls|ssl|iam|plain|md5|scram-sha-\d+|sha\d+|hs\d+|rs\d+|es\d+|aes[\w-]*|rsa\d*"
    r"|ecdsa|ed25519|kerberos|header|cookie|query|body|string|integer|object|array|boolean|number|opaque|file|env|vault"
    r"|kubernetes|lax|strict|text|(?:var)?char|bytea|blob|longtext|uuid|not|secretkeyref|kubernetes\.io/[\w./-]+|\d+(?:ms|s|m|h|d|w))$",
    re.IGNORECASE,
)  # fmt: skip
_NAME_OF_KEY = re.compile(r"[A-Za-z]+(?:[-_.][A-Za-z]+){0,4}")
_NAME_OF_HEADER = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+){0,5}")
_PATH = re.compile(
    r"(?:file://)?(?:/|\./|\.\./|~/)[\w.@%+-]+(?:/[\w.@%+-]+)*/?"
    r"|[\w-]+(?:/[\w.-]+)*\.(?:txt|key|pem|crt|json|ya?ml|conf|env|jks|p12|cfg)"
)
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}://[\w.:\[\]-]+(?:/[\w./~%-]*)?(?:\?[\w.=&%+-]*)?", re.IGNORECASE
)
_OF_SECRET = re.compile(r"key|token|secret|sig|pass|pwd|code|auth", re.IGNORECASE)
_LONGEST = 1024  # characters of a value that is looked at; a longer one counts as secret


def is_reference(value: str) -> bool:
    """Whether a value is nothing but a reference to another, such as `{{ .password }}` or `$(TOKEN)`."""
    return _REFERENCE.fullmatch(value.strip()) is not None


def is_harmless(name: str, value: str) -> bool:
    """Whether a value under a secret's name is none."""
    value = value.strip().strip("\"'")
    if len(value) > _LONGEST:
        return False
    if not value or _REFERENCE.fullmatch(value) or _SWITCH.match(value):
        return True
    if secret_names.words(name)[-1:] == ("key",) and _NAME_OF_KEY.fullmatch(value):
        return secret_names.is_secret(value)  # `passwordKey: postgres-password` names a key of a Secret
    if secret_names.words(name)[-1:] in (("header",), ("headers",)) and _NAME_OF_HEADER.fullmatch(value):
        return True
    if secret_names.may_be_number(name) and value.isdecimal() and len(value) <= 7:
        return True
    if _PATH.fullmatch(value):
        return not random_text.holds_random(value)
    is_address = _ADDRESS.fullmatch(value) is not None and not _has_secret_in_query(value)
    return is_address and not known_forms.is_known(value) and not random_text.holds_random(value)


def _has_secret_in_query(address: str) -> bool:
    """Whether a parameter of an address has the name of a secret."""
    parameters = (part.partition("=") for part in re.split("[?&]", address.partition("?")[2]))
    return any(equals and _OF_SECRET.search(name) for name, equals, _ in parameters)
