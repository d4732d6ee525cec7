"""Timeouts that requests and urllib3 lack. Loaded with the first session, because loading takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.util.retry import Retry

READ_SECONDS = 30.0
BODY_SECONDS = 120.0


class TimedAdapter(HTTPAdapter):
    """Adds timeouts that requests lacks: for each wait, and for a whole body that arrives slowly."""

    def __init__(self, connect_seconds: float, retries: Retry) -> None:
        self._connect_seconds = connect_seconds
        self._by_origin: dict[str, Mapping[str, str]] = {}
        super().__init__(max_retries=retries)

    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: object = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """The response; its body is already read unless `stream`: then the caller limits it."""
        limits = timeout or (self._connect_seconds, READ_SECONDS)
        through = proxies or self._proxies(request.url or "")
        with _in_blocks(request):
            response = super().send(request, True, limits, verify, cert, through)  # type: ignore[arg-type]
        if not stream:
            response._content = _whole(response, time.monotonic() + BODY_SECONDS)
        return response

    def _proxies(self, url: str) -> Mapping[str, str]:
        """The proxies that the environment names for a host, read once for each."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
        if origin not in self._by_origin:
            self._by_origin[origin] = get_environ_proxies(origin)
        return self._by_origin[origin]


@contextmanager
def _in_blocks(request: requests.PreparedRequest) -> Iterator[None]:
    """Send the body block by block: Python allows the time for one wait to all bytes that it is given at once."""
    body = request.body
    if isinstance(body, bytes) and body:
        request.body = BytesIO(body)  # type: ignore[assignment]
    try:
        yield
    finally:
        request.body = body


def _whole(response: requests.Response, end: float) -> bytes:
    parts: list[bytes] = []
    try:
        while part := response.raw.read1(1 << 16, decode_content=True):
            parts.append(part)
            if time.monotonic() > end:
                raise requests.ReadTimeout(f"the response was not complete after {BODY_SECONDS:g} s")
    except urllib3.exceptions.TimeoutError as error:
        raise requests.ReadTimeout(str(error)) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(str(error)) from error
    return b"".join(parts)
