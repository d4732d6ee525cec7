"""The REST side, one file for each topic; the first route of the table that fits answers."""

from __future__ import annotations

from lab.forge.rest import (
    actions,
    apps,
    checks,
    comments,
    commits,
    contents,
    deployments,
    dispatches,
    git_database,
    issues,
    labels,
    pages,
    pull_requests,
    refs,
    releases,
    repositories,
    reviews,
    rulesets,
    statuses,
    teams,
)
from lab.forge.routing import Route

ROUTES: tuple[Route, ...] = (
    *statuses.ROUTES,
    *checks.ROUTES,
    *refs.ROUTES,
    *git_database.ROUTES,
    *commits.ROUTES,
    *contents.ROUTES,
    *deployments.ROUTES,
    *pull_requests.ROUTES,
    *reviews.ROUTES,
    *comments.ROUTES,
    *labels.ROUTES,
    *issues.ROUTES,
    *releases.ROUTES,
    *rulesets.ROUTES,
    *teams.ROUTES,
    *dispatches.ROUTES,
    *actions.ROUTES,
    *apps.ROUTES,
    *repositories.ROUTES,
    *pages.ROUTES,
)
