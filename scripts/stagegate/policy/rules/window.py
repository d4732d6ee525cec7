"""window: promotion only in recurring times, written as an RFC 5545 rule with a duration and a time zone.

A rule without DTSTART is anchored at Monday, 2024-01-01 00:00 in its zone, which matters where INTERVAL or COUNT
do, and for a weekly one that names no day.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rruleset, rrulestr

from stagegate.model import RuleResult, rfc3339
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rule import Rule
from stagegate.settings import Window, seconds

NAME = "window"
_ANCHOR = datetime(2024, 1, 1)
_HORIZON = timedelta(days=800)  # a rule that names no time in two years names none for us


def check(subject: Subject, facts: PromotionFacts, now: datetime) -> RuleResult:
    """Pass inside a window or where none is declared, else wait for the next one."""
    windows = facts.policy_of(subject.environment).window
    if not windows:
        return RuleResult(rule=NAME, state="pass", detail="the settings declare no promotion window")
    openings = []
    for window in windows:
        try:
            end, following = _around(window, now)
        except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
            return RuleResult(
                rule=NAME,
                state="unknown",
                detail=f"the window {window.rrule!r} is not a valid recurrence rule: {error}",
            )
        if end is not None:
            return RuleResult(
                rule=NAME, state="pass", detail=f"a promotion window is open until {rfc3339(end)}"
            )
        if following is not None:
            openings.append(following)
    if not openings:
        return RuleResult(rule=NAME, state="wait", detail="no promotion window opens in the next two years")
    opening = rfc3339(min(openings))
    return RuleResult(
        rule=NAME,
        state="wait",
        detail=f"no promotion window is open; the next one opens at {opening}",
        until=opening,
    )


def _around(window: Window, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The end of the window that is open now (or None), and the beginning of the next one (or None)."""
    zone = ZoneInfo(window.timezone)
    length = timedelta(seconds=seconds(window.duration))
    wall = now.astimezone(zone).replace(tzinfo=None)
    rule = _rule(window.rrule, wall)
    # A day more on both sides: wall time and time that passes differ where clocks change.
    for start in rule.between(wall - length - timedelta(days=1), wall + timedelta(days=1), inc=True):
        begin = start.replace(tzinfo=zone).astimezone(timezone.utc)
        if begin <= now < begin + length:
            return begin + length, None
    for start in rule.xafter(wall - timedelta(hours=3), inc=True):
        if start > wall + _HORIZON:
            break
        begin = start.replace(tzinfo=zone).astimezone(timezone.utc)
        if begin > now:
            return None, begin
    return None, None


def _rule(text: str, wall: datetime) -> rrule | rruleset:
    """The parsed rule; one that needs no anchor starts near now, so that minutely rules stay cheap."""
    upper = text.upper()
    anchored = any(word in upper for word in ("DTSTART", "INTERVAL", "COUNT", "EXRULE", "RDATE"))
    anchored = anchored or ("WEEKLY" in upper and "BYDAY" not in upper)  # a week's day is that of the anchor
    near = (wall - timedelta(days=400)).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    rule = rrulestr(text, dtstart=_ANCHOR if anchored else max(near, _ANCHOR), ignoretz=True)
    if not isinstance(rule, (rrule, rruleset)):
        raise TypeError("the text is not a recurrence rule")
    return rule


def mistake(text: str) -> str:
    """Why a text is no rule of a window; empty where it is one."""
    try:
        _rule(text, _ANCHOR + timedelta(days=400))
    except (ValueError, TypeError) as error:
        return str(error) or type(error).__name__
    return ""


RULE = Rule(
    name=NAME,
    title="A promotion window is open",
    rank=110,
    kinds=frozenset({"promote", "configure"}),
    check=check,
    reason="window-closed",
    cure="Wait until the next window opens, or set an override of `window`.",
    proposable=True,
)
