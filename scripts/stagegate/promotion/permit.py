"""Demands, by the policy of each app, that the people who answer for a run have the permission for it."""

from __future__ import annotations

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.policy.permissions import demand
from stagegate.promotion import app_state
from stagegate.runner.context import Context
from stagegate.settings import Settings


def permit(connections: Connections, local_settings: Settings, context: Context, mode: str) -> None:
    """Stop(not-authorised) unless who runs this may do so by the policy of another app that it concerns too."""
    demand(connections.pins, app_state.read(connections, local_settings).settings, context.people, mode)


def demand_of_dispatcher(
    connections: Connections, local_settings: Settings, context: Context, mode: str
) -> None:
    """Stop(not-authorised) where a promotion or rollback is started by hand without the right of its comment.

    What a push, a schedule or another workflow starts has the right of whoever wrote that into the workflow. Any
    branch may dispatch as a bot: enough to propose what the rules admit, and for no rollback.
    """
    if context.event_name not in ("workflow_dispatch", "repository_dispatch"):
        return
    people = [login for login in context.people if not login.endswith("[bot]")]
    if mode == "rollback" and len(people) < len(context.people):
        raise Stop(
            "not-authorised",
            "A bot may not start a rollback by a dispatch.",
            "A workflow of any branch can send one, so nobody answers for it.",
            "Start the workflow as a person, or write /rollback in a comment.",
        )
    if people:
        demand(connections.pins, app_state.read(connections, local_settings).settings, people, mode)
