"""The GitHub App of `trust: protected`: its manifest, and instructions for its key. Pure.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from stagegate.setup.proposed import AppProposal
from stagegate.setup.survey import Survey

# The permissions of all jobs that write states. The token of each job gets only those that the job needs.
PERMISSIONS = {
    "contents": "write",
    "statuses": "write",
    "deployments": "write",
    "pull_requests": "write",
    "issues": "write",
    "actions": "write",
}
JOBS = "stagegate"  # the GitHub Environment of promotions, commands and pin-guard


def manifest(slug: str, page: str) -> str:
    """The App's manifest as JSON: private, without a webhook."""
    document = {
        "name": slug,
        "url": page,
        "hook_attributes": {"url": page, "active": False},
        "public": False,
        "default_permissions": PERMISSIONS,
        "default_events": [],
    }
    return json.dumps(document, indent=2)


def notes(slug: str, survey: Survey, proposals: Sequence[AppProposal]) -> Iterator[str]:
    """Instructions to create the App, store its key and limit its use."""
    owner, repository = survey.owner or "acme", survey.repository or "acme/app"
    page = f"{survey.server}/{repository}"
    form = {
        "name": slug,
        "url": page,
        "public": "false",
        "webhook_active": "false",
    }
    address = f"{survey.server}/organizations/{owner}/settings/apps/new?{urlencode(form | PERMISSIONS)}"
    yield f"The manifest of the GitHub App {slug}:\n{manifest(slug, page)}"
    yield (
        f"Create the GitHub App from the manifest, or with the form at {address} (for the account "
        f"of a person: {survey.server}/settings/apps/new with the same query). Install the App "
        f"only on {repository}."
    )
    yield (
        "Store the App ID as the variable STAGEGATE_APP_ID: gh variable set STAGEGATE_APP_ID "
        f"--repo {repository} --body <App ID>."
    )
    places = dict.fromkeys(
        f"{proposal.name}-{place.name}" if len(proposals) > 1 else place.name
        for proposal in proposals
        for place in proposal.environments
        if not proposal.policy
    )
    for name in (JOBS, *places):
        yield (
            "Store the private key of the App as the secret APP_KEY of the GitHub Environment "
            f"{name}, which only {survey.branch} may use: gh secret set APP_KEY --env {name} "
            f"--repo {repository} < {slug}.pem"
        )
    yield (
        f"Never store APP_KEY as a secret of the whole repository, and delete {slug}.pem. doctor "
        "checks where the key is stored and how old it is."
    )
