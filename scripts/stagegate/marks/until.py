"""When a mark ends, as people write it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from stagegate.errors import Stop
from stagegate.model import moment, rfc3339

OVERRIDE = "24h"  # where nobody says until when: what is set aside must not stay so unnoticed
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def read(text: str, now: datetime) -> str:
    """`until` as RFC 3339 from a duration (`2h`), a date (its end, UTC) or a time; empty stays. Stop(bad-input)."""
    text = text.strip()
    if not text:
        return ""
    if match := re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text):
        return rfc3339(now + timedelta(**{_UNIT[match[2]]: int(match[1])}))
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            end = moment(text + "T00:00:00Z") + timedelta(days=1)
        else:
            end = moment(text)
    except ValueError as error:
        raise _bad_until(text, f"{error}") from error
    if end <= now:
        raise _bad_until(text, "the time is in the past")
    return rfc3339(end)


def _bad_until(text: str, why: str) -> Stop:
    return Stop(
        "bad-input",
        f"until is {text!r}.",
        f"{why}; `until` must be a duration, a date, or a time with a time zone.",
        "Write 2h, 3d, 2026-12-31 or 2026-12-31T18:00:00Z.",
    )
