"""Freezes and windows as the windows of GitOps Promoter's ScheduledCommitStatus. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from stagegate.settings import Environment, Freeze, Window, seconds

MOST = 20  # windows of one list, in the CRD
_DAYS = {"MO": "1", "TU": "2", "WE": "3", "TH": "4", "FR": "5", "SA": "6", "SU": "0"}

Document = dict[str, Any]


def of(environment: Environment, branch: str) -> Document:
    """When promotions to an environment are allowed, and when they are not. A list is cut after MOST windows."""
    excluded = [_excluded(freeze) for freeze in environment.freeze][:MOST]
    allowed = crons(environment)[:MOST]
    return {
        "branch": branch,
        **({"allow": allowed} if allowed else {}),
        **({"exclude": excluded} if excluded else {}),
    }


def _excluded(freeze: Freeze) -> Document:
    days = (freeze.to - freeze.from_ + dt.timedelta(days=1)).days
    return {
        "cron": f"0 0 {freeze.from_.day} {freeze.from_.month} *",
        "duration": f"{days * 24}h",
        "timezone": freeze.timezone,
        "description": freeze.reason[:256],
    }


def crons(environment: Environment) -> list[Document]:
    """Windows in which promotions are allowed, without those that cron cannot say."""
    starts = ((window, cron(window)) for window in environment.window)
    return [
        {"cron": start, "duration": f"{seconds(window.duration)}s", "timezone": window.timezone}
        for window, start in starts
        if start
    ]


def cron(window: Window) -> str:
    """An RFC 5545 rule as cron; nothing for one that cron cannot say."""
    rule = dict(field.split("=", 1) for field in window.rrule.upper().split(";") if "=" in field)
    frequency = rule.pop("FREQ", "")
    days = rule.pop("BYDAY", "")
    hours, minutes = rule.pop("BYHOUR", "0"), rule.pop("BYMINUTE", "0")
    rule.pop("BYSECOND", None)
    days_are_known = all(day in _DAYS for day in days.split(",")) if days else frequency == "DAILY"
    if rule or frequency not in ("DAILY", "WEEKLY") or not days_are_known:
        return ""
    return f"{minutes} {hours} * * {','.join(_DAYS[day] for day in days.split(',')) if days else '*'}"
