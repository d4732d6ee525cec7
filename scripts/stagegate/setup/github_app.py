"""The GitHub App of `trust: protected`: its manifest, and where its key belongs. Pure.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from stagegate.setup.proposed import AppProposal
from stagegate.setup.survey import Survey

# What the jobs that write states need, all together; a token gets only what its job needs of it.
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
    """How the App is made, where its key goes, and what has to be limited."""
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
        f"Make it from the manifest, or fill the form that this address opens: {address} "
        f"(for a person's account: {survey.server}/settings/apps/new with the same query). "
        f"Install it on {repository} only."
    )
    yield (
        f"Its number is the variable STAGEGATE_APP_ID: gh variable set STAGEGATE_APP_ID --repo {repository} "
        "--body <App ID>."
    )
    places = dict.fromkeys(
        f"{one.name}-{place.name}" if len(proposals) > 1 else place.name
        for one in proposals
        for place in one.environments
        if not one.policy
    )
    for name in (JOBS, *places):
        yield (
            f"Store its key as the secret APP_KEY of the GitHub Environment {name}, which only {survey.branch} may "
            "use: "
            f"gh secret set APP_KEY --env {name} --repo {repository} < {slug}.pem"
        )
    yield f"Never set APP_KEY for the whole repository, and delete {slug}.pem. doctor checks its places and age."
