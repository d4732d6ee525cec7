"""Turns refusals of Argo CD, or of a proxy in front of it, into Stops."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

import requests

from stagegate.errors import Stop
from stagegate.runner import log


class Server(NamedTuple):
    """Where requests go: address, host with port, and the project they are narrowed to."""

    url: str
    host: str
    project: str


def refuse(response: requests.Response, about: str, server: Server) -> None:
    """Stop for every response that is not the requested one, with its own message."""
    status = response.status_code
    if 300 <= status < 400:
        raise _elsewhere(response, server)
    if status == 200:
        if "text/html" in response.headers.get("Content-Type", ""):
            raise page(response, server)
        return
    reported = _said(response)
    if status == 401:
        raise Stop(
            "token-expired",
            f"Argo CD at {server.host} does not accept the token.",
            f"Argo CD reported: {reported}. The token has expired, was revoked, or belongs to a "
            "different server.",
            "Make a new token (`argocd account generate-token`) and store the token as "
            "ARGOCD_TOKEN in the GitHub Environment.",
        )
    if status == 403:
        permission = f"applications, get, {server.project or '<project>'}/{about.split()[1]}"
        raise Stop(
            "missing-permission",
            f"Argo CD at {server.host} does not show {about}.",
            f"Argo CD reported: {reported}. Argo CD gives the same response when the Application "
            "does not exist.",
            "Check the name and the project of the Application in the settings. The account of the token needs "
            f"`p, <role>, {permission}, allow`.",
        )
    if status == 404:
        raise Stop(
            "bad-settings",
            f"{about} does not exist at {server.host}.",
            f"Argo CD reported: {reported}.",
            "Correct `argocd` in the settings, or apply the Application's manifest first.",
        )
    reason = "rate-limited" if status == 429 else "server-error" if status >= 500 else "unknown-state"
    raise Stop(
        reason,
        f"Argo CD at {server.host} returned {status} for {about}.",
        f"Argo CD reported: {reported}.",
        "Run the job again. If the same error occurs, check `argocd-server` and the proxy in front "
        "of Argo CD.",
    )


def _elsewhere(response: requests.Response, server: Server) -> Stop:
    target = urlsplit(response.headers.get("Location", ""))
    place = target.netloc or server.host
    if place == server.host and target.scheme not in ("", urlsplit(server.url).scheme):
        next_step = f"Write the address as {target.scheme}://{place}."
    else:
        next_step = "Use an address that reaches argocd-server itself, or pass the proxy's own credentials "
        next_step += "as `argocd-headers`."
    return Stop(
        "missing-permission",
        f"{server.host} redirects the request to {place}.",
        "The redirect leads to a login page or to a different address, and stagegate never sends "
        "the token over a redirect.",
        next_step,
    )


def page(response: requests.Response, server: Server) -> Stop:
    """The Stop for a page where Argo CD's API should be."""
    kind = response.headers.get("Content-Type", "no content type")
    return Stop(
        "missing-permission",
        f"{server.host} returned a web page instead of a response of Argo CD's API.",
        f"The content type is {log.redact(kind)[:60]}: the response probably comes from a login page or a proxy.",
        "Use an address that reaches argocd-server itself, or pass the proxy's credentials as `argocd-headers`.",
    )


def nonsense(what: str, server: Server) -> Stop:
    """The Stop for a response without the state of the Application."""
    return Stop(
        "unknown-state",
        f"Argo CD at {server.host} sent {what}.",
        "The state of the Application is therefore unknown.",
        "Run the job again. If the same error occurs, check that the address is the address of Argo CD.",
    )


def _said(response: requests.Response) -> str:
    """The server's message as one short, redacted line; empty for an HTML page."""
    try:
        return words(response.json())
    except ValueError:
        return f"HTTP {response.status_code}"


def words(error: object) -> str:
    """An error object of Argo CD as one short line, redacted."""
    text = error.get("message") or error.get("error") if isinstance(error, dict) else error
    return log.redact(" ".join(str(text).split()))[:200].rstrip(".")


def empty(name: str) -> Stop:
    """The Stop for an input that should come from the GitHub Environment and is empty."""
    return Stop(
        "empty-secret",
        f"{name} is empty.",
        f"The GitHub Environment of the job does not contain {name}, or a reusable workflow does "
        "not declare and map it.",
        f"Store {name.upper().replace('-', '_')} in the GitHub Environment, and name this GitHub "
        "Environment in the job.",
    )
