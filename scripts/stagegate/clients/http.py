"""The one HTTP session: a total timeout on every request, retries only for verbs that may be repeated."""

from __future__ import annotations

import os
from collections.abc import Callable

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from stagegate.errors import Stop

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_TRANSIENT = (408, 429, 500, 502, 503, 504)


class _Adapter(HTTPAdapter):
    """Adds the timeout that requests leaves out by default."""

    def send(self, request: requests.PreparedRequest, **kw: object) -> requests.Response:  # type: ignore[override]
        kw["timeout"] = kw.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        return super().send(request, **kw)  # type: ignore[arg-type]


def retrying(total: int = 3) -> Retry:
    """Retries for GET and HEAD on transient answers; Retry-After is honoured up to 20 seconds.

    `STAGEGATE_RETRY_PACE` (seconds, default 0.5) is the back-off factor.
    """
    return Retry(
        total=total,
        allowed_methods=_IDEMPOTENT,
        status_forcelist=_TRANSIENT,
        backoff_factor=float(os.environ.get("STAGEGATE_RETRY_PACE", "0.5")),
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


def unreachable(host: str, error: requests.RequestException) -> Stop:
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
