"""The commit status `stagegate/pins`: its state and text, from the results of the rules. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from stagegate.model import RuleResult, RuleState, moment
from stagegate.policy import rules

StatusState = Literal["success", "pending", "failure", "error"]

_WORDS: tuple[tuple[RuleState, StatusState], ...] = (
    ("unknown", "error"),
    ("stop", "failure"),
    ("wait", "pending"),
)


class PinsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status `stagegate/pins`: may this merge now? `next_at`: when time alone changes it, for better (a wait
    ends) or for worse (an override does)."""

    state: StatusState
    description: str
    next_at: str = ""


def of(results: Sequence[RuleResult]) -> PinsStatus:
    """The status of a change: unknown is an error, a stop a failure, time is pending, else success."""
    for state, word in _WORDS:
        named = [r for r in results if r.state == state]
        if named:
            until = latest(named) if state == "wait" else ""
            text = "; ".join(f"{r.rule}: {r.detail}" for r in named)
            when = f"until {until}: " if until else ""
            return PinsStatus(state=word, description=when + text, next_at=until)
    overridden = [r for r in results if r.override]
    end = min((r.until for r in overridden if r.until), key=moment, default="")
    until = f" until {end}" if end else ""
    note = f"; OVERRIDDEN{until}: {', '.join(r.rule for r in overridden)}" if overridden else ""
    return PinsStatus(state="success", description=f"every rule passes{note}", next_at=end)


def latest(waiting: Sequence[RuleResult]) -> str:
    """When all waits for time have ended; empty when one of them names no end, or none is for time."""
    timed = [r for r in waiting if rules.RULES[r.rule].waits_for == "time"]
    return max((r.until for r in timed), key=moment) if timed and all(r.until for r in timed) else ""
