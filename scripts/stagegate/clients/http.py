"""The one HTTP session: a total timeout on every request, retries only for verbs that may be repeated.

The libraries are loaded with the first session: loading them takes half of the start of an action that asks nobody.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from stagegate.errors import Stop
from stagegate.runner import variables

if TYPE_CHECKING:
    import requests
    from urllib3.util.retry import Retry

Result = TypeVar("Result")
CONNECT_SECONDS = 10.0
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_TRANSIENT = (408, 429, 500, 502, 503, 504)


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port, so that they may share credentials."""
    return _origin(one) == _origin(other)


def _origin(address: str) -> tuple[str, str, int | None]:
    if "\\" in address:
        return address, "", None  # parsers disagree whether the host is before or after it
    try:
        parts = urlsplit(address)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return address, "", None  # an invalid port is equal only to the same text
    return parts.scheme, parts.hostname or "", port


def retrying(total: int = 3) -> Retry:
    """Retries for GET and HEAD on transient answers; Retry-After is honoured up to 20 seconds.

    `STAGEGATE_RETRY_PACE` (seconds, else 0.5) is the back-off factor.
    """
    from urllib3.util.retry import Retry

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

    `verify` is a CA bundle's path, or True for the one that `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` names, else
    the system's.
    Proxies come from the environment; passwords of `~/.netrc` are never sent.
    """
    import requests

    from stagegate.clients.http_adapter import TimedAdapter

    new = requests.Session()
    new.trust_env = False  # with it requests reads the whole environment twice for each request
    adapter = TimedAdapter(CONNECT_SECONDS, retrying(retries))
    new.mount("https://", adapter)
    new.mount("http://", adapter)
    new.headers["User-Agent"] = "stagegate"
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    new.verify = named if verify is True and named else verify
    return new


def unreachable(host: str, error: Exception) -> Stop:
    """The Stop for a host that does not respond, without leaking what the request carried."""
    kind = type(error).__name__
    if kind == "InvalidHeader":
        return Stop(
            "bad-input",
            f"A token or password for {host} is not on one line.",
            "The value contains a line break, or begins with a space, so it cannot be sent in a request.",
            "Store the secret again, as one line without quotes.",
        )
    return Stop(
        "unreachable",
        f"{host} does not respond.",
        f"The request ended with {kind}.",
        "Check the address and the network, then run the job again. stagegate changed nothing.",
    )


def reach(host: str, call: Callable[[], Result]) -> Result:
    """The result of `call`, or Stop(unreachable) naming the host."""
    import requests

    try:
        return call()
    except requests.RequestException as error:
        raise unreachable(host, error) from error
