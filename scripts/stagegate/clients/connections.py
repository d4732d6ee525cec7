"""The repositories and registries that a promotion uses, and the tokens for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from stagegate.clients import git_trees, hub
from stagegate.clients.argocd import access
from stagegate.clients.argocd.client import ArgoCD
from stagegate.clients.argocd.clusters import Clusters
from stagegate.clients.job_permissions import JobPermissions, Permissions
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.model import Calls
from stagegate.runner.context import Context
from stagegate.runner.inputs import ClusterInputs, PinsInputs, TwoRepositoryInputs
from stagegate.settings import Settings


@dataclass(frozen=True)
class Connections:
    """`app` holds code, tags and evidence, `pins` the pins, policy, marks and pull requests; often they are one.

    `config` is the path of the policy in the pins repository, `login` user and password for the registry,
    `clone` a local clone of the pins repository, where kustomizations are built,
    `clusters` what the Argo CD of the inputs knows of its clusters, `work_tree` the folder of the run where it is
    of the pins repository: it only tells which files are probably needed.
    """

    app: hub.Hub
    pins: hub.Hub
    registry: Registry
    config: str
    login: tuple[str, str] = ("", "")
    clone: Path | None = None
    clusters: Clusters | None = None
    work_tree: Path | None = None

    def limited(self, policy: Settings) -> Connections:
        """A copy with registry credentials only for the hosts in the policy, not those of a branch."""
        username, password = self.login
        return replace(self, registry=Registry(policy.registry_hosts, username=username, password=password))

    @property
    def one(self) -> bool:
        """Whether both are the same repository."""
        return self.app.repository == self.pins.repository

    @property
    def calls(self) -> Calls:
        """Requests to GitHub so far."""
        calls_by_client = (self.app.calls,) if self.app is self.pins else (self.app.calls, self.pins.calls)
        return Calls(read=sum(c.read for c in calls_by_client), write=sum(c.write for c in calls_by_client))


def open_connections(
    settings: Settings,
    context: Context,
    inputs: TwoRepositoryInputs,
    job: JobPermissions,
    *,
    as_app: bool = True,
) -> Connections:
    """The connections that settings require: one repository, or the app's and the pins'. Stop(missing-permission).

    With `app-id` and `app-key` both tokens are made for that GitHub App, each for one repository and
    with the permissions of `job`. `as_app` False: in one repository the job's own token is used all the same.
    """
    login = (
        (inputs.registry_username, inputs.registry_password) if isinstance(inputs, PinsInputs) else ("", "")
    )
    app_repository, pins_repository, path = _places(settings, context, inputs)
    registry = Registry(settings.registry_hosts, username=login[0], password=login[1])
    token, pins_token = inputs.token, inputs.pins_token
    is_one, has_app = app_repository == pins_repository, bool(inputs.app_id or inputs.app_key)
    if has_app and (as_app or not is_one):
        reads_own = not as_app and pins_repository == context.repository
        pins_token = (
            pins_token if reads_own and pins_token else _made(context, inputs, pins_repository, job.pins)
        )
        if not is_one:
            token = _made_if_installed(context, inputs, app_repository, job.app) or token
    app = hub.from_context(context, token or pins_token, app_repository)
    pins = hub.from_context(context, pins_token or token, pins_repository)
    if is_one:
        pins, app = (pins, app) if has_app and as_app else (pins, pins)
    elif not pins_token or not token:
        raise Stop(
            "missing-permission",
            f"There is no token for {pins_repository if not pins_token else app_repository}.",
            "The app and the pins are in two repositories, but a job's own token reaches only one of them.",
            "Pass `app-id` and `app-key` of a GitHub App that is installed on both repositories, or `token` "
            "(app repository) "
            "and `pins-token` (pins repository).",
        )
    work_tree = context.workspace if pins_repository == context.repository else None
    if work_tree is not None:
        pins.lists_in(partial(git_trees.proven, work_tree))
    return Connections(
        app=app,
        pins=pins,
        registry=registry,
        config=path,
        login=login,
        clusters=_clusters(inputs),
        work_tree=work_tree,
    )


def _clusters(inputs: TwoRepositoryInputs) -> Clusters | None:
    """The clusters of the Argo CD that the inputs name, if they name one and have a token for it."""
    if not isinstance(inputs, ClusterInputs) or not (inputs.argocd_server and inputs.argocd_token):
        return None
    lines = [line for line in inputs.argocd_headers.splitlines() if line.strip()]
    return Clusters(
        ArgoCD(
            inputs.argocd_server,
            inputs.argocd_token,
            headers=access.headers(lines),
            ca=access.ca_file(inputs.argocd_ca),
        )
    )


def _places(settings: Settings, context: Context, inputs: TwoRepositoryInputs) -> tuple[str, str, str]:
    """App repository, pins repository, and the path of the policy in it. Stop(bad-settings)."""
    own_repository = context.repository
    if not settings.policy:
        return settings.source_repository or own_repository, own_repository, str(PurePosixPath(inputs.config))
    pins_repository, _, path = settings.policy.partition("//")
    if not path:
        raise Stop(
            "bad-settings",
            f"The key `policy` is {settings.policy!r}, which does not contain the path of a file.",
            "The key must have the form owner/repository//path/of/stagegate.yaml.",
            "Correct it.",
            file=inputs.config,
        )
    return own_repository, pins_repository, str(PurePosixPath(path))


def _made(context: Context, inputs: TwoRepositoryInputs, repository: str, permissions: Permissions) -> str:
    return hub.installation_token(context.api_url, repository, inputs.app_id, inputs.app_key, permissions)


def _made_if_installed(
    context: Context, inputs: TwoRepositoryInputs, repository: str, permissions: Permissions
) -> str:
    """A token of the App, or nothing where it is not installed, so that `token` is used for that repository."""
    try:
        return _made(context, inputs, repository, permissions)
    except Stop as stop:
        if stop.reason != "missing-permission" or not inputs.token:
            raise
        return ""
