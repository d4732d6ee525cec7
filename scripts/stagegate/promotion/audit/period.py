"""The period that an audit covers, as a person writes it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from stagegate.errors import Stop
from stagegate.model import moment

DAYS = 30  # without `since`


class Period(msgspec.Struct, frozen=True):
    """From one time to another, both inclusive."""

    since: datetime
    until: datetime

    def has(self, at: str) -> bool:
        """Whether a time (RFC 3339) lies in it."""
        return bool(at) and self.since <= moment(at) <= self.until


def parse(since: str, until: str, now: str) -> Period:
    """The period between two dates or times; a date as `since` is its beginning, as `until` its end, in UTC.

    Without `until` it ends `now` (RFC 3339), without `since` it begins DAYS before its end. Stop(bad-input).
    """
    end = _time("until", until or now, end=True)
    return Period(_time("since", since, end=False) if since else end - timedelta(days=DAYS), end)


def _time(name: str, text: str, *, end: bool) -> datetime:
    try:
        if len(text) == len("2026-01-31"):
            return moment(f"{text}T{'23:59:59' if end else '00:00:00'}Z")
        return moment(text)
    except ValueError as error:
        raise Stop(
            "bad-input",
            f"{name} is {text!r}.",
            "The time must be a date, or a time with a time zone.",
            "Write 2026-01-31 or 2026-01-31T18:00:00Z.",
        ) from error
