"""Whether the address that an Argo CD source names is one of our Git repositories. Pure."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote, urlsplit

from stagegate.patterns import pattern

Answer = Literal["ours", "foreign", "unknown"]

_SCHEME = pattern(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SCP = pattern(r"(?:[^@/\s]+@)?([^:/\s]+):(?!\d+/)(.+)")  # git@host:owner/name
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_PREFIXES = ("www.", "ssh.", "altssh.")  # GitHub's other names for itself


def same_repository(address: str, repository: str) -> Answer:
    """Whether `address` (https, ssh, git or `git@host:` spelling) is `repository`.

    `repository` is an address too, or `owner/name` where the host is not known; any host fits then.
    "unknown" means that nobody can tell from here: the same name on another host (a mirror, an alias), or an
    address with a template or variable in it. Watch what is unknown; never render it as if it were ours.
    Letter case, user, port, `.git` and a slash at the end do not matter, as for GitHub.
    """
    if not address.strip() or any(mark in address for mark in ("{{", "$", "*")):
        return "unknown"
    host, path = _parts(address)
    own_host, own_path = _parts(repository) if _is_address(repository) else ("", _clean(repository))
    if path == own_path:
        return "ours" if not own_host or not host or host == own_host else "unknown"
    return "unknown" if not own_host and path.endswith(f"/{own_path}") else "foreign"


def _is_address(text: str) -> bool:
    return bool(_SCHEME.match(text) or _SCP.fullmatch(text))


def _parts(address: str) -> tuple[str, str]:
    """Host (empty where none is written) and path, in one spelling."""
    text = address.strip()
    if _SCHEME.match(text):
        place = urlsplit(text)
        return _host(place.hostname or ""), _clean(place.path)
    if scp := _SCP.fullmatch(text):
        return _host(scp[1]), _clean(scp[2])
    first, _, rest = text.partition("/")
    if "." in first or ":" in first:
        return _host(first.partition(":")[0]), _clean(rest)
    return "", _clean(text)


def _host(name: str) -> str:
    plain = name.lower().rstrip(".")
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    return "localhost" if plain in _LOOPBACK else plain


def _clean(path: str) -> str:
    return re.sub(r"/+", "/", unquote(path)).strip("/").lower().removesuffix(".git")
