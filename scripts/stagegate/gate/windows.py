"""Argo CD's sync windows: whether they forbid an automatic sync now, and until when. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from stagegate.argocd_app import cron
from stagegate.argocd_app.json_fields import rows, text
from stagegate.model import rfc3339

Json = dict[str, Any]
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def shut_window(windows: Json, now: datetime) -> str:
    """Why sync windows forbid an automatic sync now, and when they allow one; empty while they do not.

    A deny window is active, or there are allow windows and none is active. `canSync` tells of a sync by hand and
    is not asked.
    """
    active, assigned = rows(windows.get("activeWindows")), rows(windows.get("assignedWindows"))
    denying = [window for window in active if text(window, "kind") == "deny"]
    if denying:
        end = max((ends for window in denying if (ends := _closes(window, now))), default=None)
        return _told(f"the deny window {_named(denying[0])} forbids the sync", "it ends", end)
    allowing = [window for window in assigned if text(window, "kind") == "allow"]
    if not allowing or any(text(window, "kind") == "allow" for window in active):
        return ""
    start = min((opens for window in allowing if (opens := _opens(window, now))), default=None)
    return _told(
        f"the sync window {_named(allowing[0])}, which allows syncs, is closed",
        "the next sync window opens",
        start,
    )


def _told(what: str, when: str, moment: datetime | None) -> str:
    return f"{what}; {when} at {rfc3339(moment)}" if moment else what


def _named(window: Json) -> str:
    return f"`{text(window, 'schedule')}` for {text(window, 'duration')}"


def _opens(window: Json, now: datetime) -> datetime | None:
    schedule = _schedule(window)
    return cron.next_after(schedule, now.astimezone(_zone(window))) if schedule else None


def _closes(window: Json, now: datetime) -> datetime | None:
    """The end of the window that is open now; windows that overlap themselves last on."""
    schedule, length = _schedule(window), _length(text(window, "duration"))
    if schedule is None or not length:
        return None
    current = now.astimezone(_zone(window))
    end = max((start + length for start in _starts(schedule, current - length, current)), default=None)
    for _ in range(1000):
        later = cron.next_after(schedule, current) if end else None
        if end is None or later is None or later > end:
            break
        current, end = later, max(end, later + length)
    else:
        return None  # it never ends
    return end


def _starts(schedule: cron.Cron, since: datetime, until: datetime) -> Iterator[datetime]:
    for count, start in enumerate(cron.starts_since(schedule, since, until)):
        if count >= 1000:
            return
        yield start


def _schedule(window: Json) -> cron.Cron | None:
    try:
        return cron.parse(text(window, "schedule"))
    except ValueError:
        return None


def _length(duration: str) -> timedelta:
    """A Go duration such as `1h30m`; nothing when it is none."""
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration)))


def _zone(window: Json) -> timezone | ZoneInfo:
    name = text(window, "timeZone")
    try:
        return ZoneInfo(name) if name else timezone.utc
    except (KeyError, ValueError, OSError):
        return timezone.utc
