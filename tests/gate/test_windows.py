"""Sync windows: whether they are closed, and when they open; schedules in Argo CD's format."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from stagegate.argocd_app import cron
from stagegate.gate.windows import shut_window

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=timezone.utc)  # a Friday


def window(kind: str, schedule: str, duration: str = "1h", **more: str) -> dict[str, Any]:
    return {"kind": kind, "schedule": schedule, "duration": duration, **more}


@pytest.mark.parametrize(
    ("windows", "text"),
    [
        ({}, ""),
        ({"assignedWindows": [window("deny", "0 3 * * *")]}, ""),
        (
            {
                "activeWindows": [window("allow", "0 12 * * *")],
                "assignedWindows": [window("allow", "0 12 * * *")],
            },
            "",
        ),
        (
            {"assignedWindows": [window("allow", "0 7 * * *")]},
            "the next sync window opens at 2026-11-28T07:00:00Z",
        ),
        (
            {"assignedWindows": [window("allow", "0 7 * * *"), window("allow", "0 22 * * *")]},
            "2026-11-27T22:00:00Z",
        ),
        (
            {"assignedWindows": [window("allow", "0 9 * * 1", timeZone="Europe/Berlin")]},
            "2026-11-30T08:00:00Z",
        ),
        ({"activeWindows": [window("deny", "0 10 * * *", "4h30m")]}, "it ends at 2026-11-27T14:30:00Z"),
        (
            {"activeWindows": [window("deny", "0 * * * *", "1h")]},
            "the deny window `0 * * * *` for 1h forbids",
        ),
        (
            {"activeWindows": [window("deny", "nonsense")]},
            "the deny window `nonsense` for 1h forbids the sync",
        ),
        ({"assignedWindows": [window("allow", "0 7 31 2 *")]}, "is closed"),
    ],
)
def test_a_shut_window_names_its_next_opening(windows: dict[str, Any], text: str) -> None:
    said = shut_window(windows, NOON)
    assert (text in said, bool(said)) == (True, bool(text))


@pytest.mark.parametrize(
    ("schedule", "after"),
    [
        ("* * * * *", "2026-11-27T12:01"),
        ("*/15 * * * *", "2026-11-27T12:15"),
        ("0 0 * * *", "2026-11-28T00:00"),
        ("@daily", "2026-11-28T00:00"),
        ("30 8-10 * * mon-fri", "2026-11-30T08:30"),
        ("0 0 1 JAN *", "2027-01-01T00:00"),
        ("0 0 * * 7", "2026-11-29T00:00"),
        ("0 0 13 * 5", "2026-12-04T00:00"),
        ("5,50 12 ? * *", "2026-11-27T12:05"),
        ("0 0 29 2 *", "2028-02-29T00:00"),
    ],
)
def test_the_next_time_of_a_schedule_is_computed(schedule: str, after: str) -> None:
    found = cron.next_after(cron.parse(schedule), NOON)
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M") == after


@pytest.mark.parametrize("schedule", ["", "* * * *", "60 * * * *", "a * * * *", "5-1 * * * *", "@reboot"])
def test_an_invalid_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        cron.parse(schedule)
