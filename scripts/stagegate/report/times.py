"""Times and lengths of time as people read them. Pure."""

from __future__ import annotations

from stagegate.model import moment


def utc(at: str) -> str:
    """An RFC 3339 time as `2026-01-05 10:04 UTC`; what is no time stays as it is."""
    try:
        return moment(at).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return at


def duration(seconds: float | None) -> str:
    """Two largest units, such as `3 d 4 h`, or a dash where there is nothing to report."""
    if seconds is None:
        return "-"
    remaining = round(seconds)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if remaining >= size or (size == 1 and not parts):
            parts.append(f"{remaining // size} {unit}")
            remaining %= size
    return " ".join(parts[:2])


def age(at: str, now: str) -> str:
    """How long ago, in the largest unit that is at least 2 (`45 min`, `3 h`, `12 d`); empty without a time."""
    if not at:
        return ""
    seconds = max((moment(now) - moment(at)).total_seconds(), 0)
    size, unit = next(
        ((size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "min")) if seconds >= 2 * size),
        (1, "s"),
    )
    return f"{int(seconds // size)} {unit}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 fix`, `2 fixes`: a number with its noun."""
    return f"{number} {one if number == 1 else many or one + 's'}"
