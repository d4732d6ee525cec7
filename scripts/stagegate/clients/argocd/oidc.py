"""A token of Argo CD for this job alone: the job's OIDC token, exchanged at Argo CD's Dex.

https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/github-actions/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from stagegate.clients import http
from stagegate.errors import Stop
from stagegate.runner import log

CLIENT = "argo-cd-cli"  # Argo CD's own public client at Dex
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS, _ID = "urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:id_token"


def exchanged(
    url: str,
    connector: str,
    *,
    ca: str = "",
    headers: Mapping[str, str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """A token for the Argo CD at `url`. Stop(missing-permission) without the job's `id-token: write`, or when Dex
    refuses; Stop(unreachable) when one of the two does not respond."""
    subject = job_token(environ)
    host = urlsplit(url).netloc
    with http.session(retries=0) as session:
        response = http.reach(
            host,
            lambda: session.post(
                f"{url}/api/dex/token",
                auth=(CLIENT, ""),
                headers=dict(headers or {}),
                data={
                    "connector_id": connector,
                    "grant_type": _EXCHANGE,
                    "scope": "openid email profile federated:id",
                    "requested_token_type": _ACCESS,
                    "subject_token": subject,
                    "subject_token_type": _ID,
                },
                verify=ca or True,
                allow_redirects=False,
            ),
        )
    token = _field(response, "access_token") if response.status_code == 200 else ""
    if not token:
        reason = (
            _field(response, "error_description")
            or _field(response, "error")
            or f"HTTP {response.status_code}"
        )
        raise Stop(
            "missing-permission",
            f"Argo CD at {host} issued no token for this job.",
            f"Argo CD's Dex reported: {log.redact(' '.join(reason.split()))[:200].rstrip('.')}.",
            f"Add a Dex connector of type `oidc` with id {connector!r} and GitHub's issuer, or correct "
            "`argocd.connector`.",
        )
    log.mask(token)
    return token


def job_token(environ: Mapping[str, str]) -> str:
    """The OIDC token that GitHub gives this job."""
    url, key = (environ.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}", "") for name in ("URL", "TOKEN"))
    if not url or not key:
        raise Stop(
            "missing-permission",
            "This job has no OIDC token.",
            "`argocd.auth: oidc` needs an OIDC token, but GitHub gives such a token only to jobs "
            "with the permission `id-token: write`.",
            "Add `permissions: id-token: write` to the job.",
        )
    host = urlsplit(url).netloc
    with http.session() as session:
        response = http.reach(host, lambda: session.get(url, headers={"Authorization": f"bearer {key}"}))
    token = _field(response, "value") if response.status_code == 200 else ""
    if not token:
        raise Stop(
            "missing-permission",
            "GitHub issued no OIDC token for this job.",
            f"{host} returned {response.status_code}.",
            "Add `permissions: id-token: write` to the job, then run the job again.",
        )
    log.mask(token)
    return token


def _field(response: requests.Response, name: str) -> str:
    try:
        value = response.json().get(name)
    except (ValueError, AttributeError):
        return ""
    return value if isinstance(value, str) else ""
