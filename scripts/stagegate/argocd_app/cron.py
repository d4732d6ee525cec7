"""Cron schedules as Argo CD's sync windows have them: when one fires next, and when it fired last. Pure.

Five fields, or a word such as `@daily`: https://pkg.go.dev/github.com/robfig/cron/v3
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_FARTHEST = timedelta(days=5 * 366)  # a 29th of February on a given weekday is farther; nobody plans one


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """The minutes, hours, days, months and weekdays (0: Sunday) at which a schedule fires.

    `either_day`: day of month and weekday are both restricted, and one of them is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool = False

    def on(self, day: datetime) -> bool:
        """Whether it fires on that day at all."""
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (of_month or of_week) if self.either_day else (of_month and of_week)


def parse(text: str) -> Cron:
    """A schedule. ValueError when it is none."""
    fields = _WORDS.get(text.strip().lower(), text).lower().replace("?", "*").split()
    if len(fields) != 5:
        raise ValueError(f"the schedule {text!r} has {len(fields)} fields, but a schedule has five")
    names = ((), (), (), _MONTHS, _DAYS)
    sets = [
        frozenset(_field(field, *limits, words))
        for field, limits, words in zip(fields, _LIMITS, names, strict=True)
    ]
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    minutes, hours, days, months, weekdays = sets
    return Cron(minutes=minutes, hours=hours, days=days, months=months, weekdays=weekdays, either_day=either)


def next_after(schedule: Cron, moment: datetime) -> datetime | None:
    """The first time after a moment, in the moment's zone; None when there is none for years."""
    day = today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (moment.hour, moment.minute)
    while day - moment < _FARTHEST:
        if schedule.on(day):
            for hour in sorted(schedule.hours):
                for minute in sorted(schedule.minutes):
                    if day is not today or (hour, minute) > passed:
                        return day.replace(hour=hour, minute=minute)
        day += timedelta(days=1)
    return None


def starts_since(schedule: Cron, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every time it fires after `since` and not after `until`."""
    start = next_after(schedule, since)
    while start is not None and start <= until:
        yield start
        start = next_after(schedule, start)


def _field(text: str, low: int, high: int, names: tuple[str, ...]) -> Iterator[int]:
    for part in text.split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        first = low if begin == "*" else _number(begin, low, names)
        last = high if begin == "*" or (step and not end) else first
        last = _number(end, low, names) if end else last
        if not low <= first <= last <= high + (high == 6):
            raise ValueError(f"{part!r} is not between {low} and {high}")
        for value in range(first, last + 1, int(step or "1")):
            yield value % 7 if high == 6 else value  # 7 is Sunday too


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    return names.index(text) + low if text in names else int(text)
