"""Tokens of a GitHub App's installation, made from its key: they are valid for an hour and act as the App's bot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import requests

from stagegate.errors import Stop
from stagegate.runner import log

if TYPE_CHECKING:
    from github import GithubException

TIMEOUT = 30  # seconds


def installation_token(
    api_url: str, repository: str, app_id: str, app_key: str, permissions: Mapping[str, str]
) -> str:
    """A new token for this repository alone, with these permissions and no others, masked.

    A permission that the App was not given is left out: what needs it names it. Stop when the key is not the App's
    or it is not installed there.
    """
    from github import Auth, GithubException, GithubIntegration  # 0.2 s, only for runs with an App

    if not app_id.strip() or not app_key.strip():
        lost = "app-key" if app_id.strip() else "app-id"
        raise Stop(
            "empty-secret",
            f"{lost} is empty.",
            "The GitHub App that writes statuses needs both the ID and the private key of the App.",
            "Store the ID and the key in the GitHub Environment, and name this GitHub Environment "
            "in the job.",
        )
    log.mask(app_key)
    owner, _, name = repository.partition("/")
    try:
        auth = Auth.AppAuth(app_id.strip(), app_key.replace("\\n", "\n").strip())
        github = GithubIntegration(auth=auth, base_url=api_url, timeout=TIMEOUT)
        installation = github.get_repo_installation(owner, name)
        granted = installation.raw_data.get("permissions") or {}
        body = {"repositories": [name], "permissions": _least(permissions, granted)}
        # PyGithub's own call cannot name repositories.
        path = f"/app/installations/{installation.id}/access_tokens"
        _, response = github.requester.requestJsonAndCheck("POST", path, input=body)
        token = str(response["token"])
    except GithubException as error:
        raise _refused(error, repository) from error
    except requests.RequestException as error:
        raise Stop(
            "unreachable",
            "GitHub does not respond.",
            f"The request for a token of the App failed with {type(error).__name__}.",
            "Run the job again. stagegate changed nothing.",
        ) from error
    except (
        ValueError,
        TypeError,
        KeyError,
    ) as error:  # the cryptography library's error for an invalid key
        raise Stop(
            "empty-secret",
            "app-key is not a private key.",
            "`app-key` must be the whole PEM text that GitHub offered for download when the key was created.",
            "Store the key again, with its first and last line.",
        ) from error
    log.mask(token)
    return token


def _least(permissions: Mapping[str, str], granted: Mapping[str, str]) -> dict[str, str]:
    """The requested permissions, each at most at the level that the installation has."""
    order = ("none", "read", "write", "admin")
    common = {
        name: min(level, granted.get(name, "none"), key=order.index) for name, level in permissions.items()
    }
    # Every installation may read metadata. Without any permission in the request GitHub grants all of them.
    return {name: level for name, level in common.items() if level != "none"} or {"metadata": "read"}


def _refused(error: GithubException, repository: str) -> Stop:
    if error.status == 404:
        return Stop(
            "missing-permission",
            f"The GitHub App is not installed on {repository}.",
            "An App can only write to repositories on which it is installed.",
            f"Install the App on {repository}, or correct `app-id`.",
        )
    if error.status == 401:
        return Stop(
            "missing-permission",
            "GitHub does not accept the App's key.",
            "`app-id` and `app-key` do not belong to the same App, or the key was revoked.",
            "Make a new key in the settings of the App, and store the key as the secret.",
        )
    reason = "server-error" if error.status >= 500 else "unknown-state"
    return Stop(
        reason,
        f"GitHub returned {error.status} to the request for a token of the App.",
        "GitHub made no token.",
        "Run the job again.",
    )
