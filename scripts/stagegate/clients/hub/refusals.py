"""Turns GitHub's refusals into Stops that name the permission, the setting, or the time to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from stagegate.clients.hub.response import HubResponse
from stagegate.errors import Stop
from stagegate.model import rfc3339
from stagegate.runner import log


class Refused(Stop):
    """GitHub refused the request; `status` is HTTP's and `message` GitHub's message."""

    status: int = 0
    message: str = ""
    kind: str = ""  # GraphQL's error type


class Uncertain(Stop):
    """A write without a response, which may have happened: read the state before repeating it."""


class StaleHead(Stop):
    """A ref is not where it was expected to be: read it again and apply the edit again."""

    def __init__(self, ref: str, why: str) -> None:
        super().__init__(
            "stale-base",
            f"{ref} changed while stagegate was running.",
            why,
            "Run the job again. stagegate overwrote nothing.",
        )


class TooLarge(Stop):
    """A query was more than GitHub computes for one request: request it in smaller portions."""


def too_large(doing: str, reason: str, *, write: bool) -> Stop:
    """GraphQL's resource limits, which end a request with a part of its result.

    https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
    """
    return (Uncertain if write else TooLarge)(
        "server-error",
        f"GitHub cut off the request to {doing}.",
        f"The request exceeded GitHub's resource limits: {reason}",
        "Run the job again later. If the same error occurs, keep fewer marks, deployments or apps "
        "in one repository.",
    )


def old_server(host: str, doing: str, message: str) -> Stop:
    """A GitHub Enterprise Server without a feature of the API."""
    return Stop(
        "bad-input",
        f"{host} cannot {doing}.",
        f"The server lacks this part of GitHub's GraphQL API: {log.redact(message)[:300]}",
        "stagegate needs github.com or GitHub Enterprise Server 3.16 or later (its GraphQL mutation updateRefs). "
        "Upgrade the server, or check GITHUB_GRAPHQL_URL.",
    )


def rate_limited(doing: str, wait: float, now: float) -> Stop:
    """The wait is longer than we have: name the time it ends."""
    until = rfc3339(datetime.fromtimestamp(min(now + wait, 253402300799), timezone.utc))
    return Stop(
        "rate-limited",
        f"GitHub's rate limit stopped the request to {doing}.",
        f"GitHub accepts requests again at {until}, which is too long for a run to wait.",
        "Run the job again after this time. The work done so far is kept.",
    )


def unreachable(host: str, doing: str, error: Exception, *, sent: bool) -> Stop:
    """No response. `sent`: a write went out and may have happened."""
    kind = Uncertain if sent else Stop
    return kind(
        "unreachable",
        f"{host} did not respond to the request to {doing}.",
        f"The request ended with {type(error).__name__}"
        + (", after it was sent." if sent else "; nothing was changed."),
        "Check https://www.githubstatus.com and the network, then run the job again. The new run "
        "completes the work.",
    )


def server_error(response: HubResponse, doing: str, *, write: bool) -> Stop:
    """The Stop for 5xx; a write may have happened in spite of it."""
    return (Uncertain if write else Stop)(
        "server-error",
        f"GitHub failed to {doing}.",
        f"GitHub returned {response.status}" + (f": {response.message}." if response.message else "."),
        "Check https://www.githubstatus.com, then run the job again. The new run completes the work.",
    )


def unparsable(doing: str, error: Exception, *, write: bool) -> Stop:
    """A response that is not what the API documents."""
    return (Uncertain if write else Stop)(
        "unknown-state",
        f"GitHub's response to the request to {doing} could not be read.",
        f"{log.redact(str(error))[:200]}.",
        "Run the job again. If the same error occurs, check that GITHUB_API_URL is the address of "
        "GitHub's API and not the page of a proxy.",
    )


def refused(response: HubResponse, doing: str, permission: str, token: str) -> Refused:
    """The Stop for a 4xx response. `right` is what the call needs; the response's own header knows better."""
    stop = _refusal(response.status, response.headers, response.message, doing, permission, token)
    stop.status, stop.message = response.status, response.message
    return stop


def refused_by_graphql(kind: str, reason: str, doing: str, permission: str, token: str) -> Refused:
    """The Stop for a GraphQL error of type `kind` (documented only by example)."""
    status = {"FORBIDDEN": 403, "INSUFFICIENT_SCOPES": 403, "NOT_FOUND": 404, "STALE_DATA": 409}.get(
        kind, 422
    )
    if "not accessible by" in reason or ("workflow" in reason and "permission" in reason):
        status = 403
    stop = _refusal(status, {}, reason, doing, permission, token)
    stop.status, stop.message, stop.kind = status, reason, kind
    return stop


def _refusal(
    status: int, headers: Mapping[str, str], reason: str, doing: str, permission: str, token: str
) -> Refused:
    what = f"GitHub refused to {doing}."
    low = reason.lower()
    if status == 401:
        return Refused(
            "token-expired", what, f"The token is not valid, or no longer valid ({reason}).", _renew(token)
        )
    if is_policy(low):
        return Refused(
            "protected-branch",
            what,
            f"A protection rule refuses the change: {reason}",
            "Write with a GitHub App that is on the ruleset's bypass list, or do what the rule requires "
            "(a pull request).",
        )
    if status == 403:
        return Refused("missing-permission", what, *_missing(headers, reason, permission, token))
    if status == 404:
        return Refused(
            "missing-permission",
            what,
            "GitHub returned 404: the requested object does not exist, or this token may not see it.",
            f"Check the name, and check that the token has {permission} for this repository.",
        )
    if status == 409:
        return Refused("stale-base", what, f"GitHub returned 409: {reason}", "Run the job again.")
    return Refused(
        "bad-input",
        what,
        f"GitHub returned {status}: {reason}",
        "Correct the cause that GitHub names, then run the job again.",
    )


def is_policy(low: str) -> bool:
    """Whether GitHub's message (in lower case) is about branch protection or a ruleset."""
    signs = (
        "protected branch",
        "repository rule violations",
        "protected ref",
        "changes must be made through",
    )
    return any(sign in low for sign in signs)


def _renew(token: str) -> str:
    if token.startswith("ghs_"):
        return (
            "GITHUB_TOKEN expires with its job, and the token of an App after one hour. Make a new "
            "token in this job, right before this step."
        )
    return "Make a new token, store the token as the secret that this step reads, and run the job again."


def _missing(headers: Mapping[str, str], reason: str, permission: str, token: str) -> tuple[str, str]:
    accepted = headers.get("x-accepted-github-permissions", "")
    needed = _words(accepted) or permission
    low = reason.lower()
    if "not permitted to create or approve pull requests" in low:
        return (
            "This repository does not let GITHUB_TOKEN open pull requests.",
            "Tick Settings > Actions > General > 'Allow GitHub Actions to create and approve pull requests' "
            "(an organisation may have to allow it first), or pass an App's token.",
        )
    if "workflows=write" in accepted or ("workflow" in low and "permission" in low):
        return (
            "The commit changes workflow files. This needs the permission `workflows: write`, "
            "which GITHUB_TOKEN cannot have.",
            "Pass the token of a GitHub App with 'Workflows: read and write', or release a new version from "
            "the head of the branch.",
        )
    if headers.get("x-github-sso") or "saml" in low:
        return (
            "The organisation requires single sign-on, but this token is not authorised for single sign-on.",
            "Authorise the token for the organisation (Settings > Tokens > Configure SSO).",
        )
    if "ip allow list" in low:
        return (f"{reason}", "Add the runner's address to the organisation's IP allow list.")
    if "archived" in low:
        return (
            "The repository is archived and read-only.",
            "Unarchive the repository, or remove this workflow.",
        )
    why = f"The token does not have {needed}" + (f" ({reason})." if reason else ".")
    return why, _cure(needed, reason, token)


def _words(accepted: str) -> str:
    """`contents=write,workflows=write; x=read` -> `contents: write and workflows: write, or x: read`."""
    ways = [
        " and ".join(
            part.strip().replace("=", ": ").replace("_", "-") for part in way.split(",") if part.strip()
        )
        for way in accepted.split(";")
    ]
    return ", or ".join(way for way in ways if way)


def _cure(needed: str, reason: str, token: str) -> str:
    if "personal access token" in reason or token.startswith("github_pat_"):
        return (
            f"Edit the fine-grained token and give it {needed} on this repository (an organisation's owner "
            "may have to approve it)."
        )
    if "integration" in reason or token.startswith("ghs_"):
        return (
            f"With GITHUB_TOKEN, add `{needed}` under the job's `permissions:` (runs for forks may "
            "only read). With a GitHub App, grant the permission in the settings of the App, and "
            "accept the permission in the installation of the App."
        )
    return f"Give the token {needed} on this repository (for a classic token, the scope `repo`)."
