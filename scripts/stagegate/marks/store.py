"""Sets and removes marks: hold, ban, override. A ref moves only from the value that was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.marks import authentic, marks
from stagegate.marks.placed import Placed
from stagegate.model import Actor, Change, Mark


def put(pins: hub.Hub, ref: str, mark: Mark, existing: Placed | None, now: datetime) -> tuple[Change, ...]:
    """Set a mark; nothing when `existing`, in force, says the same. A renewal names the commit of the mark before.

    An override is always renewed: the one before may be used up.
    """
    was = existing.mark if existing is not None else None
    if was is not None and mark.kind != "override" and _same(was, mark) and marks.active(was, now):
        return ()
    return _write(pins, ref, mark, existing, f"{mark.kind} by {mark.owner}")


def take_away(pins: hub.Hub, ref: str, existing: Placed | None, by: str, now: datetime) -> tuple[Change, ...]:
    """Remove the mark that is there by a commit that says who did; nothing when none is in force."""
    if existing is None or not marks.active(existing.mark, now):
        return ()
    return _write(
        pins, ref, marks.removed(existing.mark, by, now, existing.place), existing, f"removed by {by}"
    )


def renew(pins: hub.Hub, existing: Placed) -> tuple[Change, ...]:
    """Write a mark that counts and has the old form again, in the form of now; else nothing."""
    if existing.mark is None or not authentic.is_old_form(existing.mark):
        return ()
    return _write(
        pins, existing.ref, existing.mark, existing, f"{existing.mark.kind} by {existing.mark.owner}"
    )


def current(pins: hub.Hub, ref: str, writers: Sequence[Actor], now: datetime) -> Placed | None:
    """The mark on a ref right now, or None when the ref does not exist."""
    file = pins.ref_files(marks.PREFIX, marks.FILE).get(ref)
    return authentic.judged(pins, ref, file, writers, now) if file else None


def overlapping(
    pins: hub.Hub, app: str, environment: str, writers: Sequence[Actor], now: datetime
) -> tuple[Placed, ...]:
    """Holds in force right now on (part of) the same place; app and environment may be `all`."""
    every: Mapping[str, hub.RefFile] = pins.ref_files(marks.PREFIX, marks.FILE)
    holds = {ref: file for ref, file in every.items() if ref.startswith(f"{marks.PREFIX}hold/")}
    judged_marks = (authentic.judged(pins, ref, file, writers, now) for ref, file in holds.items())
    return tuple(
        one
        for one in judged_marks
        if one is not None
        and (one.app == app or marks.ALL in (one.app, app))
        and (one.environment == environment or marks.ALL in (one.environment, environment))
        and marks.active(one.mark, now)
    )


def _write(pins: hub.Hub, ref: str, mark: Mark, existing: Placed | None, message: str) -> tuple[Change, ...]:
    """A commit without a parent that names its place, and the ref moved to it."""
    place = marks.place(ref, "", None)
    if place is None:
        raise AssertionError(f"the ref {ref} is not a valid name for a mark")
    mark = msgspec.structs.replace(
        mark,
        app=place.app,
        environment=place.environment,
        version=place.version,
        previous=existing.oid if existing else "",
    )
    sha = pins.create_orphan_commit({marks.FILE: marks.encode(mark)}, f"chore: {message}")
    if existing is None:
        pins.create_ref(ref, sha)
    else:
        pins.update_refs([hub.RefUpdate(name=ref, before=existing.oid, after=sha, force=True)])
    before = existing.oid if existing else ""
    return (Change(kind="mark", target=ref.removeprefix("refs/heads/"), before=before, after=sha),)


def _same(one: Mark, other: Mark) -> bool:
    def told(mark: Mark) -> tuple[object, ...]:
        return mark.kind, mark.owner, mark.reason, mark.until, mark.rules, mark.to

    return told(one) == told(other)
