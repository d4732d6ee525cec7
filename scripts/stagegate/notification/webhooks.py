"""Posts one message to one webhook: only to a listed host, once, and without following a redirect."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from queue import Empty, Queue
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import msgspec

from stagegate.clients import http
from stagegate.errors import Stop
from stagegate.gate import placeholders
from stagegate.runner import log, variables
from stagegate.settings import Channel

TIMEOUT = (5.0, 10.0)  # seconds to connect and for each wait
TOTAL = 20.0  # seconds for one message: a run does not end later because of a receiver that never ends
_LARGEST = 262_144  # bytes of a message
_SHOWN = 2048  # bytes of a response that are read
_ODD = re.compile(r"[\s\\\x00-\x20\x7f]")  # what readers of addresses disagree about


def post(channel: Channel, body: bytes, environ: Mapping[str, str], limit: float | None = None) -> None:
    """Send a message within `limit` seconds, by default TOTAL.

    Stop names the channel by its variable, because the address is a secret.
    """
    url = variables.for_tests({channel.url}, environ).get(channel.url, "").strip()
    if not url:
        raise Stop(
            "empty-secret",
            f"The variable {channel.url} is empty in this job.",
            "The variable must contain the address of the webhook.",
            f"Add the line {channel.url}=... to the secret STAGEGATE_VARIABLES of the GitHub Environment.",
        )
    host = _host(channel, url)
    place = urlsplit(url)
    log.mask(url, place.path, place.query, *(value for _, value in parse_qsl(place.query)))
    placeholders.guard(url, variables.hosts(environ), f"The channel {channel.url}")
    if len(body) > _LARGEST:
        raise Stop(
            "bad-input",
            f"The message to {channel.url} has {len(body)} bytes.",
            f"stagegate sends at most {_LARGEST} bytes.",
            "Use fewer placeholders in `template`.",
        )
    answer = _within(
        TOTAL if limit is None else limit, channel, lambda: http.reach(host, lambda: _exchange(url, body))
    )
    if not 200 <= answer.status < 300:
        raise _refused(channel, answer)


def _host(channel: Channel, url: str) -> str:
    """The host of an address. Stop(bad-input) where it is none, or where readers of addresses disagree about it."""
    try:
        place = urlsplit(url)
        host = place.hostname if place.port != 0 else None
    except ValueError:
        place, host = urlsplit(""), None
    if place.scheme not in ("http", "https") or not host or "@" in place.netloc or _ODD.search(url):
        log.mask(url)
        raise Stop(
            "bad-input",
            f"The variable {channel.url} is not a web address.",
            "The address must begin with https:// or http:// and contain a host, but no user, "
            "spaces or backslashes.",
            f"Correct the line {channel.url}=... of the secret STAGEGATE_VARIABLES.",
        )
    return host


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a response, and the beginning of its text."""

    status: int
    text: str


def _exchange(url: str, body: bytes) -> _Answer:
    """Send the message. Only the beginning of the response is read, however long that is."""
    session = http.session(retries=0)
    headers = {"Content-Type": "application/json"}
    with session.post(
        url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
    ) as answer:
        text = b"" if answer.ok else answer.raw.read(_SHOWN)
        return _Answer(status=answer.status_code, text=text.decode("utf-8", "replace"))


def _within(limit: float, channel: Channel, call: Callable[[], _Answer]) -> _Answer:
    """The result of a call. Stop(timeout) after `limit` seconds, whatever the other side does in the meantime."""
    results: Queue[_Answer | Exception] = Queue()

    def work() -> None:
        try:
            results.put(call())
        except Exception as error:  # noqa: BLE001  it is raised where the result is awaited
            results.put(error)

    Thread(target=work, daemon=True).start()
    try:
        result = results.get(timeout=limit)
    except Empty:
        raise Stop(
            "timeout",
            f"{channel.url} did not accept the message within {limit:g} s.",
            "The receiver of the message accepts the connection, but its response does not end.",
            "Check the service that receives the message; the run itself is not affected.",
        ) from None
    if isinstance(result, Exception):
        raise result
    return result


def _refused(channel: Channel, answer: _Answer) -> Stop:
    if 300 <= answer.status < 400:
        return Stop(
            "wrong-source",
            f"{channel.url} returned a redirect ({answer.status}).",
            "The address of a webhook is a secret, so stagegate does not follow the redirect to a "
            "different place.",
            f"Put the final address into the variable {channel.url}.",
        )
    response_text = " ".join(log.redact(answer.text[:200]).split())
    return Stop(
        "server-error" if answer.status >= 500 else "bad-input",
        f"{channel.url} refused the message with status {answer.status}.",
        f"The response is: {response_text}" if response_text else "The response is empty.",
        "Check the address and, for a webhook with a template, the JSON that the receiver expects.",
    )
