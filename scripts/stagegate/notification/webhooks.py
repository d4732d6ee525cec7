"""Posts one message to one webhook: only to a listed host, once, and without following a redirect."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from stagegate.clients import http
from stagegate.errors import Stop
from stagegate.gate import placeholders
from stagegate.runner import log, variables
from stagegate.settings import Channel

TIMEOUT = (5.0, 10.0)  # seconds to connect and for each wait: a run does not end later because of a message


def post(channel: Channel, body: bytes, environ: Mapping[str, str]) -> None:
    """Send a message. Stop names the channel by its variable; the address itself is a secret."""
    url = variables.for_tests({channel.url}, environ).get(channel.url, "")
    if not url:
        raise Stop(
            "empty-secret",
            f"The variable {channel.url} is empty in this job.",
            "It must contain the address of the webhook.",
            f"Add the line {channel.url}=... to the secret STAGEGATE_VARIABLES of the GitHub Environment.",
        )
    log.mask(url, urlsplit(url).path)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise Stop(
            "bad-input",
            f"The variable {channel.url} is not a web address.",
            "It must begin with https:// or http:// and name a host.",
            f"Correct the line {channel.url}=... of the secret STAGEGATE_VARIABLES.",
        )
    placeholders.guard(url, variables.hosts(environ), f"The channel {channel.url}")
    session = http.session(retries=0)
    headers = {"Content-Type": "application/json"}
    answer = http.reach(
        urlsplit(url).hostname or "",
        lambda: session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False),
    )
    if not answer.ok or answer.is_redirect:
        raise _refused(channel, answer)


def _refused(channel: Channel, answer: requests.Response) -> Stop:
    if 300 <= answer.status_code < 400:
        return Stop(
            "wrong-source",
            f"{channel.url} returned a redirect ({answer.status_code}).",
            "A message with secrets in its address is not sent to another place.",
            "Put the final address into the variable.",
        )
    said = " ".join(log.redact(answer.text[:200]).split())
    return Stop(
        "server-error" if answer.status_code >= 500 else "bad-input",
        f"{channel.url} refused the message with status {answer.status_code}.",
        f"The response is: {said}" if said else "The response is empty.",
        "Check the address and, for a webhook with a template, the JSON that the receiver expects.",
    )
