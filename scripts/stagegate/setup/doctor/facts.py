"""The facts of doctor. A fact that could not be read is None or has a reason, never a default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from stagegate.argocd_app.tree import Tree
from stagegate.clients.hub import (
    BranchRule,
    EnvironmentSettings,
    RepositorySettings,
    Stored,
    WorkflowState,
    WorkflowToken,
)
from stagegate.model import Finding
from stagegate.settings import Environment, Settings
from stagegate.setup.documents import Document
from stagegate.setup.survey import Survey


class ConfiguredApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app with its settings file, `settings` None where that has mistakes, which `trouble` lists.

    `unread`: the shared policy of another repository that was not read, without which nothing is known; `why` not.
    `closed`: the private repository of that policy, which the token of a job cannot read.
    """

    config: str
    settings: Settings | None = None
    trouble: str = ""
    line: int = 0
    unread: str = ""
    why: str = ""
    closed: str = ""


class HubFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What GitHub said. `held` has the variables and secrets of each Environment, "" is the repository.

    `rules` are the active ones of the default branch, with those of classic protection where the token may read it
    (`reads_protection`). `unbound`: those rulesets that everybody with write permission may bypass.
    `release_times`: when the newest releases of each app with a soak were tagged, pre-releases left out.
    """

    repository: str
    login: str
    is_actions_token: bool
    token_kind: str
    now: datetime
    settings: RepositorySettings
    environments: tuple[EnvironmentSettings, ...] | None
    variables: Mapping[str, Mapping[str, Stored] | None]
    secrets: Mapping[str, Mapping[str, Stored] | None]
    workflow_token: WorkflowToken | None
    workflows: tuple[WorkflowState, ...] | None
    rules: tuple[BranchRule, ...] | None
    reads_protection: bool = True
    unbound: frozenset[int] = frozenset()
    app_account: bool | None = None
    release_times: Mapping[str, tuple[str, ...]] = {}


class RegistryRepository(msgspec.Struct, frozen=True, kw_only=True):
    """A repository of a registry: its tags, or the trouble of reading them; the trouble of pushing to it.

    `unreachable`: nobody answered, so nothing is known.
    """

    name: str
    tags: tuple[str, ...] = ()
    trouble: str = ""
    cure: str = ""
    push_trouble: str = ""
    unreachable: bool = False


class LiveApplication(msgspec.Struct, frozen=True, kw_only=True):
    """An Application as Argo CD has it, or the trouble of reading it."""

    name: str
    environment: str
    app: str
    document: Mapping[str, Any] = {}
    trouble: str = ""
    cure: str = ""


class JudgedChart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart that is built here, with the findings that fail chart-check, or the trouble of rendering it.

    `unknown`: nothing is known about it, for example because its dependencies could not be downloaded.
    """

    path: str
    config: str
    findings: tuple[Finding, ...] = ()
    trouble: str = ""
    why: str = ""
    cure: str = ""
    unknown: bool = False


class DoctorFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the checks look at.

    `hub`, `registry` and `argocd` are None where nobody was asked; `unread_services` says why, by the name of the
    need. `charts` are those of this repository as chart-check judges them, none without helm. `tools` has the path
    of each program, empty where it is missing; `in_job`: this machine is the runner.
    """

    survey: Survey
    tree: Tree
    apps: tuple[ConfiguredApp, ...]
    tools: Mapping[str, str]
    charts: tuple[JudgedChart, ...] = ()
    in_job: bool = False
    hub: HubFacts | None = None
    registry: tuple[RegistryRepository, ...] | None = None
    argocd: tuple[LiveApplication, ...] | None = None
    unread_services: Mapping[str, str] = {}

    @property
    def valid(self) -> Iterator[tuple[str, Settings]]:
        """The settings that can be read, with their files."""
        for app in self.apps:
            if app.settings is not None:
                yield app.config, app.settings

    @property
    def places(self) -> Iterator[tuple[str, Settings, Environment]]:
        """Every environment of every app whose settings can be read."""
        for config, settings in self.valid:
            for environment in settings.environments:
                yield config, settings, environment

    @property
    def several(self) -> bool:
        """Whether the repository has more than one app."""
        return len(self.apps) > 1

    def applications(self) -> Iterator[Document]:
        """Application documents of the work tree."""
        for document in self.survey.documents:
            if document.is_argocd and document.kind == "Application":
                yield document
