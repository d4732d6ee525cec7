"""What every step of a run needs: connections, the runner, GitHub's time, and what is requested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from stagegate.clients import job_permissions
from stagegate.clients.connections import Connections, open_connections
from stagegate.clients.job_permissions import JobPermissions
from stagegate.promotion.request import PromotionRequest
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs
from stagegate.settings import Settings


@dataclass(frozen=True)
class PromotionRun:
    """`settings` are those of the work tree; policy is read from the default branch. `now` is GitHub's time.

    `alone`: the run is about this app, and not about all of the repository.
    """

    connections: Connections
    settings: Settings
    context: Context
    now: datetime
    request: PromotionRequest
    alone: bool = True


def connect(
    inputs: PinsInputs,
    settings: Settings,
    context: Context,
    permissions: JobPermissions = job_permissions.PROMOTE,
) -> Connections:
    """The repositories and registries, with the tokens of the inputs, and the clone of the pins repository."""
    connections = open_connections(settings, context, inputs, permissions)
    is_clone = context.repository == connections.pins.repository
    return replace(connections, clone=context.workspace if is_clone else None)


def start(
    request: PromotionRequest,
    inputs: PinsInputs,
    settings: Settings,
    context: Context,
    *,
    alone: bool = True,
    permissions: JobPermissions = job_permissions.PROMOTE,
) -> PromotionRun:
    """A run for one app. `inputs` give the tokens and the path of the settings."""
    connections = connect(inputs, settings, context, permissions)
    now = connections.pins.now()
    return PromotionRun(connections, settings, context, now, request, alone)
