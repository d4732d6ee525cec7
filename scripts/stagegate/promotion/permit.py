"""Demands, by the policy of each app, that the people who answer for a run have the permission for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.marks import marks
from stagegate.marks.placed import Placed
from stagegate.model import Mark
from stagegate.policy import permissions
from stagegate.promotion import app_state
from stagegate.runner.context import Context
from stagegate.settings import Settings

TAKEN_OVER = "; before it was held by "  # in the reason of a hold that took the place of another
_OTHERS = re.compile(r"; (?:before it was|also) held by (\S+?):")

# Events that start a workflow without a person who asks for something. Without a runner there is no event.
_BY_ITSELF = ("", "push", "schedule", "workflow_run", "merge_group")


def demand_of_starter(
    connections: Connections, local_settings: Settings, context: Context, mode: str
) -> None:
    """Stop(not-authorised) where a person starts or repeats a promotion or rollback without permission for it.

    A push, a schedule or another workflow's end starts what somebody has written into the workflow, so only who
    repeats such a run is asked. Any workflow may ask for a promotion as a bot: the rules decide what becomes of it.
    """
    people = context.people[1:] if context.event_name in _BY_ITSELF else context.people
    if mode == "promote":
        people = tuple(login for login in people if not permissions.is_bot(login))
    if people:
        policy = app_state.read(connections, local_settings).settings
        permissions.demand(connections.pins, policy, people, mode)


def demand_of_lifter(
    pins: hub.Hub, policy: Settings, people: Iterable[str], existing: Placed | None, now: datetime
) -> None:
    """Stop(not-authorised) unless people may lift a hold. `existing` is the hold as it is now.

    Whoever set a hold may lift it, as long as they may still set one, and nobody else's hold went into it.
    """
    logins = tuple(people)
    others = [login for login in logins if not _is_own(pins, policy, login, existing, now)]
    if others or not logins:
        permissions.demand(pins, policy, others, "unhold")


def _is_own(pins: hub.Hub, policy: Settings, login: str, existing: Placed | None, now: datetime) -> bool:
    mark = existing.mark if existing else None
    if mark is None or not marks.active(mark, now) or mark.owner.lower() != login.lower():
        return False
    if any(owner.lower() != login.lower() for owner in owners(mark)):
        return False
    return permissions.may(pins, policy, login, "rollback" if mark.kind == "rollback" else "hold")


def owners(mark: Mark) -> tuple[str, ...]:
    """Everybody whose hold a mark stands for: its owner, and those whose holds it took over in its reason."""
    return tuple(dict.fromkeys((mark.owner, *_OTHERS.findall(mark.reason))))
