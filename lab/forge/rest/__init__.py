"""The REST side, one file for each topic; the first route of the table that fits answers."""

from __future__ import annotations

from lab.forge.rest import (
    actions,
    apps,
    commits,
    contents,
    deployments,
    git_database,
    issues,
    pull_requests,
    refs,
    releases,
    repositories,
    reviews,
    rulesets,
    statuses,
)
from lab.forge.routing import Route

ROUTES: tuple[Route, ...] = (
    *statuses.ROUTES,
    *refs.ROUTES,
    *git_database.ROUTES,
    *commits.ROUTES,
    *contents.ROUTES,
    *deployments.ROUTES,
    *pull_requests.ROUTES,
    *reviews.ROUTES,
    *issues.ROUTES,
    *releases.ROUTES,
    *rulesets.ROUTES,
    *actions.ROUTES,
    *apps.ROUTES,
    *repositories.ROUTES,
)
