"""The client of GitHub: one repository, one token, complete frozen values.

Every trouble is a Stop. None means that GitHub reported something as absent; unknown is never None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from stagegate.clients.hub import memory
from stagegate.clients.hub.accounts import ACTIONS_BOT
from stagegate.clients.hub.adoption import (
    Adoption,
    EnvironmentSettings,
    RepositorySettings,
    Stored,
    WorkflowState,
    WorkflowToken,
)
from stagegate.clients.hub.client import Connection
from stagegate.clients.hub.comments import Talk
from stagegate.clients.hub.deployments import Deployments
from stagegate.clients.hub.installation import installation_token
from stagegate.clients.hub.issues import Issues
from stagegate.clients.hub.memory import forget, remembering
from stagegate.clients.hub.merging import Merging
from stagegate.clients.hub.opening import Openings
from stagegate.clients.hub.origins import Origins
from stagegate.clients.hub.overview import Overview
from stagegate.clients.hub.overview_responses import BranchPull, LogEntry, ReleaseTag
from stagegate.clients.hub.people import People
from stagegate.clients.hub.refusals import Refused, StaleHead, Uncertain
from stagegate.clients.hub.releases import Releases
from stagegate.clients.hub.runs import Runs
from stagegate.clients.hub.statuses import Statuses
from stagegate.clients.hub.trial_merges import Trials
from stagegate.clients.hub.values import (
    ZERO,
    Asset,
    Blob,
    BranchRule,
    CheckRun,
    Comment,
    Commit,
    CommitOrigin,
    Comparison,
    Deployment,
    DeploymentStatus,
    Issue,
    Pull,
    RefActivity,
    RefFile,
    RefMove,
    RefUpdate,
    ReleaseInfo,
    Review,
    RunInfo,
    Status,
    Tag,
)
from stagegate.errors import Stop
from stagegate.runner import log
from stagegate.runner.context import Context

__all__ = [
    "ACTIONS_BOT",
    "ZERO",
    "Asset",
    "Blob",
    "BranchPull",
    "BranchRule",
    "CheckRun",
    "Comment",
    "Commit",
    "CommitOrigin",
    "Comparison",
    "Deployment",
    "DeploymentStatus",
    "EnvironmentSettings",
    "Hub",
    "Issue",
    "LogEntry",
    "Pull",
    "RefActivity",
    "RefFile",
    "RefMove",
    "RefUpdate",
    "Refused",
    "ReleaseInfo",
    "ReleaseTag",
    "RepositorySettings",
    "Review",
    "RunInfo",
    "StaleHead",
    "Status",
    "Stored",
    "Tag",
    "Uncertain",
    "WorkflowState",
    "WorkflowToken",
    "as_app",
    "connect",
    "forget",
    "from_context",
    "installation_token",
    "remembering",
]

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


class Hub(
    Openings,
    Statuses,
    Deployments,
    Merging,
    Origins,
    Trials,
    Talk,
    Issues,
    Releases,
    Runs,
    People,
    Overview,
    Adoption,
):
    """One repository on GitHub, used with one token."""

    def default_head(self) -> str:
        """The commit at the tip of the default branch: a tag of the branch's name cannot take its place.

        Stop(unknown-state) for an empty repository.
        """
        branch = self.default_branch()
        return self.head(branch) or branch

    def beside(self, repository: str) -> Hub:
        """Another repository of the same server, used with the same token. Stop(bad-input) for no repository."""
        return connect(
            repository,
            self.token,
            api_url=self._c.api_url,
            graphql_url=self._c.graphql_url,
            server_url=self.server_url,
        )


def connect(
    repository: str, token: str, *, api_url: str, graphql_url: str, server_url: str, pace: float | None = None
) -> Hub:
    """The hub of `owner/name`. `pace`: seconds between writes (None: STAGEGATE_WRITE_PACE, else 1).

    Nothing is asked yet. Stop(bad-input) for a malformed name, Stop(missing-permission) without a token.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise Stop(
            "bad-input",
            f"{repository!r} is not a repository."
            if repository
            else "The name of this repository is not known.",
            "The name must have the form `owner/name`. A runner sets it in GITHUB_REPOSITORY.",
            "Correct it."
            if repository
            else "Outside of a workflow, set GITHUB_REPOSITORY=owner/name and pass --token.",
        )
    if not token.strip():
        raise Stop(
            "missing-permission",
            f"There is no token for {repository}.",
            "The input with the token is empty. A secret is empty if it is not set, or not passed "
            "on to a reusable workflow.",
            "Pass `token` (by default it is the job's GITHUB_TOKEN) or `pins-token`. By hand, pass "
            '--token "$(gh auth token)".',
        )
    log.mask(token)
    remembering = memory.current()
    key = (repository, token.strip(), api_url, graphql_url, server_url)
    if remembering is not None and key in remembering.hubs:
        return remembering.hubs[key]
    hub = Hub(
        Connection(
            repository,
            token.strip(),
            api_url=api_url,
            graphql_url=graphql_url,
            server_url=server_url,
            pace=pace,
        )
    )
    if remembering is not None:
        remembering.hubs[key] = hub
    return hub


def as_app(context: Context, token: str, app_id: str, app_key: str, permissions: Mapping[str, str]) -> Hub:
    """The hub of the run's own repository, used as the GitHub App where one is given, else with the token."""
    if app_id or app_key:
        token = installation_token(context.api_url, context.repository, app_id, app_key, permissions)
    return from_context(context, token)


def from_context(context: Context, token: str, repository: str | None = None) -> Hub:
    """The hub of the run's own repository, or of another one on the same server."""
    return connect(
        repository or context.repository,
        token,
        api_url=context.api_url,
        graphql_url=context.graphql_url,
        server_url=context.server_url,
    )
