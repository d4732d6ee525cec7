"""The requests of doctor about a repository: settings, Environments, names of variables and secrets."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from stagegate.clients.hub.part import Port
from stagegate.clients.hub.refusals import Refused

T = TypeVar("T")


class RepositorySettings(msgspec.Struct, frozen=True):
    """Settings of a repository. A merge method is None where the token may not read it."""

    default_branch: str
    archived: bool = False
    private: bool = False
    has_issues: bool = True
    allow_auto_merge: bool | None = None
    allow_merge_commit: bool | None = None
    allow_squash_merge: bool | None = None
    allow_rebase_merge: bool | None = None
    permissions: dict[str, bool] = {}


class BranchPolicy(msgspec.Struct, frozen=True):
    """Which branches may use an Environment: protected ones, or those of a list."""

    protected_branches: bool = False
    custom_branch_policies: bool = False


class EnvironmentSettings(msgspec.Struct, frozen=True):
    """A GitHub Environment; without a policy every branch may use it."""

    name: str
    deployment_branch_policy: BranchPolicy | None = None


class Stored(msgspec.Struct, frozen=True):
    """A variable or secret: its name and when it was last written, and the value of a variable."""

    name: str
    updated_at: str = ""
    value: str = ""


class WorkflowToken(msgspec.Struct, frozen=True):
    """The default permissions of GITHUB_TOKEN in the repository's settings."""

    default_workflow_permissions: str = ""
    can_approve_pull_request_reviews: bool = False


class WorkflowState(msgspec.Struct, frozen=True):
    """A workflow on GitHub: its file and whether it is `active`."""

    path: str
    state: str = ""


class _Environments(msgspec.Struct, frozen=True):
    environments: list[EnvironmentSettings] = []


class _Names(msgspec.Struct, frozen=True):
    variables: list[Stored] = []
    secrets: list[Stored] = []


class _Workflows(msgspec.Struct, frozen=True):
    workflows: list[WorkflowState] = []


class Adoption(Port):
    """Settings of a repository. None: this token may not read it, which is never the same as absent."""

    def settings(self) -> RepositorySettings:
        """The repository's switches and, for a person's token, what that person may do."""
        return self._c.get(self._c.path(), RepositorySettings, "read the repository's settings")

    def environments(self) -> tuple[EnvironmentSettings, ...] | None:
        """Every GitHub Environment."""
        listed = self._ask("environments", _Environments, "list the Environments", "actions: read")
        return None if listed is None else tuple(listed.environments)

    def variables(self, environment: str = "") -> dict[str, Stored] | None:
        """Variables of the repository, or of an Environment, by name."""
        where = f"environments/{environment}" if environment else "actions"
        listed = self._ask(f"{where}/variables", _Names, "list the variables", "variables: read")
        return None if listed is None else {variable.name: variable for variable in listed.variables}

    def secrets(self, environment: str = "") -> dict[str, Stored] | None:
        """Secrets of the repository, or of an Environment, by name. Their values are never shown by GitHub."""
        where = f"environments/{environment}" if environment else "actions"
        listed = self._ask(f"{where}/secrets", _Names, "list the secrets", "secrets: read")
        return None if listed is None else {secret.name: secret for secret in listed.secrets}

    def workflow_token(self) -> WorkflowToken | None:
        """The default permissions of GITHUB_TOKEN."""
        return self._ask(
            "actions/permissions/workflow", WorkflowToken, "read the Actions settings", "administration: read"
        )

    def workflows(self) -> tuple[WorkflowState, ...] | None:
        """The workflows on GitHub, including disabled ones."""
        listed = self._ask("actions/workflows", _Workflows, "list the workflows", "actions: read")
        return None if listed is None else tuple(listed.workflows)

    def _ask(self, path: str, kind: type[T], doing: str, permission: str) -> T | None:
        try:
            return self._c.get(self._c.path(path), kind, doing, permission, per_page=100)
        except Refused as refusal:
            if refusal.status in (403, 404):
                return None
            raise
