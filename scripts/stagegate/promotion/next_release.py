"""Strategy `each`: which environments are free for their next release, once the one before it is merged."""

from __future__ import annotations

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import VERDICTS
from stagegate.model import Result
from stagegate.promotion import app_state
from stagegate.proposal import names
from stagegate.settings import Settings


def free(connections: Connections, local_settings: Settings, environment: str) -> tuple[str, ...]:
    """Environments with strategy `each` (of all, or this one) for which nothing is open.

    Nothing is read where `local_settings`, the work tree's settings, have none.
    """
    if not _each(local_settings, environment):
        return ()
    state = app_state.read(connections, local_settings)
    app = state.settings.app
    taken = {pull.head_ref for pull in connections.pins.pulls(base=state.base)}
    return tuple(
        name for name in _each(state.settings, environment) if not taken & set(names.both(app, name))
    )


def goes_on(result: Result) -> bool:
    """Whether the next release may be proposed now. After a merge its verification comes first."""
    return VERDICTS[result.reason].exit_code == 0 and result.reason != "merged"


def joined(evaluated: Result, promoted: Result) -> Result:
    """The result of an evaluation that went on to the next release: the proposal's, where one was made."""
    if promoted.reason not in ("proposed", "updated", "planned"):
        return evaluated
    return msgspec.structs.replace(
        promoted,
        changes=(*evaluated.changes, *promoted.changes),
        findings=evaluated.findings,
        summary=evaluated.summary + promoted.summary,
    )


def _each(settings: Settings, environment: str) -> tuple[str, ...]:
    named = (e.name for e in settings.environments if e.promotion.strategy == "each")
    return tuple(name for name in named if environment in ("", "all", name))
