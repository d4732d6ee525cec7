"""Which repositories and registries a promotion speaks to, and with whose tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from stagegate.clients import hub
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.model import Calls
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.settings import Settings


@dataclass(frozen=True)
class Connections:
    """`app` holds code, tags and evidence, `pins` the pins, policy, marks and pull requests; often they are one.

    `config` is the path of the policy in the pins repository, `login` user and password for the registry,
    `clone` a local clone of the pins repository, where kustomizations are built.
    """

    app: hub.Hub
    pins: hub.Hub
    registry: Registry
    config: str
    login: tuple[str, str] = ("", "")
    clone: Path | None = None

    def limited(self, policy: Settings) -> Connections:
        """The same, with registry credentials only for the hosts that policy names, whatever a branch says."""
        username, password = self.login
        return replace(self, registry=Registry(policy.registry_hosts, username=username, password=password))

    @property
    def one(self) -> bool:
        """Whether both are the same repository."""
        return self.app.repository == self.pins.repository

    @property
    def calls(self) -> Calls:
        """Requests to GitHub so far."""
        both = (self.app.calls,) if self.app is self.pins else (self.app.calls, self.pins.calls)
        return Calls(read=sum(c.read for c in both), write=sum(c.write for c in both))


def open_connections(
    settings: Settings, context: Context, inputs: PinsInputs, *, as_app: bool = True
) -> Connections:
    """The access that settings ask for: one repository, or the app's and the pins'. Stop(missing-permission).

    `as_app`: with `app-id` and `app-key` the pins repository is spoken to as that GitHub App.
    """
    token, pins_token = inputs.token, inputs.pins_token
    login = (inputs.registry_username, inputs.registry_password)
    here = context.repository
    app_repository, pins_repository, path = settings.source_repository or here, here, inputs.config
    if settings.policy:
        app_repository = here
        pins_repository, _, path = settings.policy.partition("//")
        if not path:
            raise Stop(
                "bad-settings",
                f"policy {settings.policy!r} names no file.",
                "It must be owner/repository//path/of/stagegate.yaml.",
                "Correct it.",
                file=inputs.config,
            )
    registry = Registry(settings.registry_hosts, username=login[0], password=login[1])
    path = str(PurePosixPath(path))
    if as_app and (inputs.app_id or inputs.app_key):
        pins_token = hub.installation_token(context.api_url, pins_repository, inputs.app_id, inputs.app_key)
        speaker = hub.from_context(context, token or pins_token, app_repository)
        pins = hub.from_context(context, pins_token, pins_repository)
        return Connections(app=speaker, pins=pins, registry=registry, config=path, login=login)
    if app_repository == pins_repository:
        only = hub.from_context(context, pins_token or token, pins_repository)
        return Connections(app=only, pins=only, registry=registry, config=path, login=login)
    if not pins_token or not token:
        raise Stop(
            "missing-permission",
            f"There is no token for {pins_repository if not pins_token else app_repository}.",
            "App and pins live in two repositories, and a job's own token reaches only one of them.",
            "Give `token` (app repository) and `pins-token` (pins repository), for example from a GitHub App.",
        )
    return Connections(
        app=hub.from_context(context, token, app_repository),
        pins=hub.from_context(context, pins_token, pins_repository),
        registry=registry,
        config=path,
        login=login,
    )
