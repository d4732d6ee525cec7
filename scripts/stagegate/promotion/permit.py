"""Demands, by the policy of each app, that the people who answer for a run have the permission for it."""

from __future__ import annotations

from stagegate.clients.connections import Connections
from stagegate.policy.permissions import demand, is_bot
from stagegate.promotion import app_state
from stagegate.runner.context import Context
from stagegate.settings import Settings

# Events that start a workflow without a person who asks for something. Without a runner there is no event.
_BY_ITSELF = ("", "push", "schedule", "workflow_run", "merge_group")


def permit(connections: Connections, local_settings: Settings, context: Context, mode: str) -> None:
    """Stop(not-authorised) unless who runs this may do so by the policy of another app that it concerns too."""
    demand(connections.pins, app_state.read(connections, local_settings).settings, context.people, mode)


def demand_of_starter(
    connections: Connections, local_settings: Settings, context: Context, mode: str
) -> None:
    """Stop(not-authorised) where a person starts or repeats a promotion or rollback without permission for it.

    A push, a schedule or another workflow's end starts what somebody has written into the workflow, so only who
    repeats such a run is asked. Any workflow may ask for a promotion as a bot: the rules decide what becomes of it.
    """
    people = context.people[1:] if context.event_name in _BY_ITSELF else context.people
    if mode == "promote":
        people = tuple(login for login in people if not is_bot(login))
    if people:
        demand(connections.pins, app_state.read(connections, local_settings).settings, people, mode)
