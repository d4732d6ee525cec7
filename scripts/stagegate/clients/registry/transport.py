"""Sends requests to registries: only to named hosts, with the required login, which redirects do not get."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import requests


from stagegate.clients import http
from stagegate.clients.registry import credentials
from stagegate.clients.registry.login import RegistryLogin
from stagegate.clients.registry.reference import Reference
from stagegate.clients.registry.trouble import RegistryRefusal, Transient
from stagegate.errors import Stop

BODY_SECONDS = 300.0
_REDIRECTS = 5
_REFUSAL_LIMIT = 64 * 1024
_TRIES = 3


class Transport:
    """Requests to the hosts in `hosts`, as the given user or as docker's configuration says."""

    def __init__(
        self,
        hosts: frozenset[str],
        username: str,
        password: str,
        timeout: tuple[float, float],
        writes: frozenset[str],
    ) -> None:
        self._hosts = hosts
        self._writes = writes
        self._timeout = timeout
        self._session = http.session()
        self._session.auth = _as_given  # otherwise requests adds a login from ~/.netrc
        self.login = RegistryLogin(self._session, credentials.lookup(username, password))

    def send(
        self,
        method: str,
        url: str,
        target: Reference,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> requests.Response:
        """The response, whatever its status, its body not yet read; a 401 has been answered once.

        Stop(wrong-source) for a host that is not named, Transient(unreachable) without a response.
        """
        if target.host not in self._hosts:
            raise Stop(
                "wrong-source",
                f"stagegate did not read {target}, because {target.host} is not a registry of this app.",
                f"The registries in the settings are: {', '.join(sorted(self._hosts)) or 'none'}.",
                "Add the registry under `images` or `chart.repository`, or correct the reference.",
            )
        reading = method in ("GET", "HEAD") and target.name not in self._writes
        actions = "pull" if reading else "pull,push"
        own_host = target.api
        for last in (False, True):
            sent_headers = dict(headers or {}) | {"Accept-Encoding": "identity"}
            header = self.login.header(target, actions)
            if header and http.same_origin(url, own_host):
                sent_headers["Authorization"] = header
            response = self._follow(method, url, target, sent_headers, data)
            challenge = response.headers.get("WWW-Authenticate", "")
            if (
                response.status_code != 401
                or last
                or not challenge
                or not http.same_origin(response.url, own_host)
            ):
                return response
            response.close()
            if not self.login.answer(challenge, target, actions):
                return response
        raise AssertionError("the second response is returned")

    def read(
        self, url: str, target: Reference, limit: int, accept: str = "*/*"
    ) -> tuple[requests.Response, bytes]:
        """GET with its whole body of at most `limit` bytes, tried again when the connection breaks inside."""
        import requests

        for attempt in range(_TRIES):
            response = self.send("GET", url, target, headers={"Accept": accept})
            try:
                return response, self.body(response, target, limit)
            except requests.RequestException as error:
                if attempt == _TRIES - 1:
                    raise http.unreachable(target.host, error) from error
            finally:
                response.close()
        raise AssertionError("the last try returns or raises")

    def refused(
        self, response: requests.Response, target: Reference, doing: str, body: bytes | None = None
    ) -> Stop:
        """The Stop for a response that is not the requested one; its body is read here unless given."""
        import requests

        if body is None:
            try:
                body = self.body(response, target, _REFUSAL_LIMIT)
            except (requests.RequestException, Stop):
                body = b""
        return RegistryRefusal(response, body).stop(target, doing, login=self.login.who(target.host))

    def body(self, response: requests.Response, target: Reference, limit: int) -> bytes:
        """The body, at most `limit` bytes within BODY_SECONDS however slowly it drips."""
        until = time.monotonic() + BODY_SECONDS
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(1 << 16):
            size += len(part)
            if size > limit:
                raise Stop(
                    "unknown-state",
                    f"{target} is larger than {limit // (1 << 20) or 1} MiB.",
                    "This size is the limit of stagegate for one artifact.",
                    "Check the reference.",
                )
            if time.monotonic() > until:
                raise Stop(
                    "timeout",
                    f"{target.host} did not finish sending {target}.",
                    f"The transfer took longer than {BODY_SECONDS:.0f} seconds.",
                    "Run the job again.",
                )
            parts.append(part)
        return b"".join(parts)

    def place(self, target: Reference, url: str, location: str) -> str:
        """The address of a `Location` or a next page, relative to the request's. Stop(wrong-source).

        Never from TLS to plain text: logins and content would be open to everybody on the way.
        """
        following = urljoin(url, location)
        if urlsplit(following).scheme == "https" or (target.local and urlsplit(following).scheme == "http"):
            return following
        raise Stop(
            "wrong-source",
            f"{target.host} redirects {target} to an address without TLS.",
            "Credentials and content would be sent in plain text.",
            "Check the external address in the configuration of the registry (behind a proxy: the "
            "header X-Forwarded-Proto).",
        )

    def _follow(
        self, method: str, url: str, target: Reference, headers: dict[str, str], data: bytes | None
    ) -> requests.Response:
        """Follow redirects by hand: to another host without the login, never from TLS to plain text."""
        import requests

        for _ in range(_REDIRECTS):
            try:
                response = self._session.request(
                    method,
                    url,
                    headers=headers,
                    data=data,
                    stream=True,
                    allow_redirects=False,
                    timeout=self._timeout,
                )
            except requests.RequestException as error:
                stop = http.unreachable(target.host, error)
                raise Transient(stop.reason, stop.what, stop.why, stop.next) from error
            place = response.headers.get("Location", "")
            # 307 and 308 keep method and body; anything else would turn a push into a read.
            moved = response.is_redirect if method in ("GET", "HEAD") else response.status_code in (307, 308)
            if not moved or not place:
                return response
            response.close()
            following = self.place(target, url, place)
            if not http.same_origin(following, url):
                headers.pop("Authorization", None)
            url = following
        raise Stop(
            "unknown-state",
            f"{target.host} redirects {target} in a circle.",
            f"The request was redirected {_REDIRECTS} times without reaching the content.",
            "Check the address of the registry.",
        )


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
