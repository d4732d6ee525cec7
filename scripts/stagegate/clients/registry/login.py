"""Logins for `WWW-Authenticate`: Basic, or a Bearer token for one repository, kept while it is valid.

https://distribution.github.io/distribution/spec/auth/token/ and .../spec/auth/oauth/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests


from stagegate.clients import http
from stagegate.clients.registry.credentials import Credentials
from stagegate.clients.registry.reference import Reference
from stagegate.clients.registry.trouble import RegistryRefusal
from stagegate.errors import Stop
from stagegate.runner import log

# One piece of a header: `name=value`, or the name of a scheme before its fields.
_PIECE = re.compile(
    r'\s*,?\s*(?:([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))|([A-Za-z][\w-]*)(?=\s|,|$))'
)
_LIMIT = 1 << 20


class RegistryLogin:
    """The `Authorization` header for each repository; credentials are read once for each host."""

    def __init__(self, session: requests.Session, lookup: Callable[[str], Credentials]) -> None:
        self._session = session
        self._lookup = lookup
        self._known: dict[str, Credentials] = {}
        self._headers: dict[tuple[str, str, str], str] = {}

    def who(self, host: str) -> str:
        """The user for messages; empty for anonymous access."""
        credentials = self._credentials(host)
        return credentials.username or ("the given token" if credentials.known else "")

    def header(self, target: Reference, actions: str) -> str:
        """The header that worked before for this repository and these actions, or empty."""
        return self._headers.get((target.host, target.path, actions), "")

    def answer(self, challenge: str, target: Reference, actions: str) -> str:
        """The header that a 401's `WWW-Authenticate` requires; empty without a login."""
        credentials = self._credentials(target.host)
        offered = challenges(challenge)
        header = ""
        if "bearer" in offered:
            header = f"Bearer {self._token(offered['bearer'], target, actions, credentials)}"
        elif "basic" in offered and credentials.password:
            header = credentials.basic
        self._headers[target.host, target.path, actions] = header
        return header

    def _credentials(self, host: str) -> Credentials:
        if host not in self._known:
            self._known[host] = self._lookup(host)
        return self._known[host]

    def _token(
        self, fields: dict[str, str], target: Reference, actions: str, credentials: Credentials
    ) -> str:
        realm = fields.get("realm", "")
        place = urlsplit(realm)
        if place.scheme != "https" and not (place.scheme == "http" and target.local):
            raise Stop(
                "wrong-source",
                f"{target.host} requires a login at {realm or 'no address'}.",
                "stagegate sends a password only over TLS, and this address does not use TLS.",
                "Check the configuration of the registry.",
            )
        query = {"service": fields.get("service", ""), "scope": _scope(fields, target, actions)}
        query = {key: value for key, value in query.items() if value}
        if credentials.identity:
            form = {
                **query,
                "grant_type": "refresh_token",
                "refresh_token": credentials.identity,
                "client_id": "stagegate",
            }
            send = lambda: self._session.post(realm, data=form, allow_redirects=False)  # noqa: E731
        else:
            headers = {"Authorization": credentials.basic} if credentials.password else {}
            send = lambda: self._session.get(realm, params=query, headers=headers, allow_redirects=False)  # noqa: E731
        response = http.reach(place.netloc, send)
        body = response.content[:_LIMIT]
        if response.status_code != 200:
            raise RegistryRefusal(response, body).stop(
                target, f"a login to {actions}", login=credentials.username
            )
        try:
            document = response.json()
            token = str(document.get("token") or document["access_token"])
        except (ValueError, LookupError, AttributeError) as error:
            raise Stop(
                "unknown-state",
                f"{place.netloc} did not return a token for the login to {target.host}.",
                "The response may come from a proxy or a login page.",
                "Check the address of the registry and the network.",
            ) from error
        log.mask(token)
        return token


def challenges(header: str) -> dict[str, dict[str, str]]:
    """The schemes that a `WWW-Authenticate` header offers, in lower case, each with its fields.

    Several headers arrive as one, joined by commas; the first of a scheme counts.
    https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
    """
    offered: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for name, quoted, bare, scheme in _PIECE.findall(header):
        if scheme:
            fields = {}
            offered.setdefault(scheme.lower(), fields)
        else:
            fields[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or bare
    return offered


def _scope(fields: dict[str, str], target: Reference, actions: str) -> str:
    """Our repository, or the registry's own scope where that has another form (Amazon's public one is `aws`)."""
    scope = fields.get("scope", "")
    opaque = scope not in ("", "*") and not scope.startswith(("repository:", "registry:"))
    return scope if opaque else f"repository:{target.path}:{actions}"
