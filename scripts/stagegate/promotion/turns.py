"""Strategy `each`: which environments are free for their next release, once the one before it is merged."""

from __future__ import annotations

import msgspec

from stagegate.errors import VERDICTS
from stagegate.model import Result
from stagegate.promotion import branches, ground
from stagegate.promotion.access import Access
from stagegate.settings import Settings


def free(doors: Access, known: Settings, environment: str) -> tuple[str, ...]:
    """Environments with strategy `each` (of all, or this one) for which nothing is open.

    Nothing is read where `known`, the work tree's settings, have none.
    """
    if not _each(known, environment):
        return ()
    soil = ground.read(doors, known)
    app = soil.settings.app
    taken = {pull.head_ref for pull in doors.pins.pulls(base=soil.base)}
    return tuple(
        name
        for name in _each(soil.settings, environment)
        if not taken & {branches.promotion(app, name), branches.rollback(app, name)}
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
