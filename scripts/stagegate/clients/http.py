"""The one HTTP session: a total timeout on every request, retries only for verbs that may be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from stagegate.errors import Stop
from stagegate.runner import variables

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
BODY_SECONDS = 120.0
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_TRANSIENT = (408, 429, 500, 502, 503, 504)


class _Adapter(HTTPAdapter):
    """Adds the timeouts that requests leaves out: for each wait, and for a whole body however it drips."""

    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The answer; its body is already read unless `stream`, and then whoever asked bounds it."""
        limits = timeout or (CONNECT_SECONDS, READ_SECONDS)
        response = super().send(request, True, limits, verify, cert, proxies)  # type: ignore[arg-type]
        if not stream:
            response._content = _whole(response, time.monotonic() + BODY_SECONDS)
        return response


def _whole(response: requests.Response, end: float) -> bytes:
    parts: list[bytes] = []
    try:
        while part := response.raw.read1(1 << 16, decode_content=True):
            parts.append(part)
            if time.monotonic() > end:
                raise requests.ReadTimeout(f"the answer was not complete after {BODY_SECONDS:g} s")
    except urllib3.exceptions.TimeoutError as error:
        raise requests.ReadTimeout(str(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(str(error)) from error
    return b"".join(parts)


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port: only then may one have the other's credentials."""
    return _origin(one) == _origin(other)


def _origin(address: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(address)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return address, "", None  # a port that is none: equal to nothing but itself
    return parts.scheme, parts.hostname or "", port


def retrying(total: int = 3) -> Retry:
    """Retries for GET and HEAD on transient answers; Retry-After is honoured up to 20 seconds.

    `STAGEGATE_RETRY_PACE` (seconds, else 0.5) is the back-off factor.
    """
    return Retry(
        total=total,
        allowed_methods=_IDEMPOTENT,
        status_forcelist=_TRANSIENT,
        backoff_factor=variables.retry_pace(),
        backoff_max=20,
        retry_after_max=20,
        raise_on_status=False,
        respect_retry_after_header=True,
    )


def session(*, retries: int = 3, verify: str | bool = True) -> requests.Session:
    """A new session: our user agent, a timeout on everything, retries for idempotent verbs.

    `verify` is a CA bundle's path, or True for the system's.
    """
    new = requests.Session()
    adapter = _Adapter(max_retries=retrying(retries))
    new.mount("https://", adapter)
    new.mount("http://", adapter)
    new.headers["User-Agent"] = "stagegate"
    new.verify = verify
    return new


def unreachable(host: str, error: Exception) -> Stop:
    """The Stop for a host that does not answer, without leaking what the request carried."""
    kind = type(error).__name__
    return Stop(
        "unreachable",
        f"{host} does not answer.",
        f"The request ended with {kind}.",
        "Check the address and the network, then run again; nothing was changed.",
    )


def reach(host: str, call: Callable[[], requests.Response]) -> requests.Response:
    """The answer of `call`, or Stop(unreachable) naming the host."""
    try:
        return call()
    except requests.RequestException as error:
        raise unreachable(host, error) from error
