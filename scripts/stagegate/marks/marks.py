"""Hold, ban and override: marks that a named person sets, each a file `mark.json` on a ref of its own.

A mark that cannot be read is in force as a stop: a hold holds, a ban bans, an override sets nothing aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from stagegate.errors import Stop
from stagegate.evidence import records
from stagegate.marks.placed import MarkFacts, MarkPlace, Placed
from stagegate.model import Mark, MarkKind, Removed, branch_names, moment, rfc3339, to_json

_HEADS = "refs/heads/"
PREFIX = f"{_HEADS}{branch_names.PREFIX}"
FILE = "mark.json"
ALL = "all"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def hold_ref(app: str, environment: str) -> str:
    """The ref of a hold; `app` may be `all`."""
    return _HEADS + branch_names.hold(_part(app), _part(environment))


def ban_ref(app: str, version: str) -> str:
    """The ref of a ban of one version."""
    return _HEADS + branch_names.ban(_part(app), _part(version))


def override_ref(app: str, environment: str, version: str) -> str:
    """The ref of an override for one version in one environment."""
    return _HEADS + branch_names.override(_part(app), _part(environment), _part(version))


def place(ref: str, oid: str, content: bytes | None) -> Placed | None:
    """The mark on a ref, or None when the ref is none of ours. Unreadable content gives `mark` None."""
    if not ref.startswith(PREFIX):
        return None
    kind, *rest = ref[len(PREFIX) :].split("/")
    read = decode(content)
    if kind == "hold" and len(rest) == 2:
        return Placed(ref=ref, oid=oid, place="hold", app=rest[0], environment=rest[1], mark=read)
    if kind == "ban" and len(rest) == 2:
        return Placed(ref=ref, oid=oid, place="ban", app=rest[0], version=rest[1], mark=read)
    if kind == "override" and len(rest) == 3:
        return Placed(
            ref=ref, oid=oid, place="override", app=rest[0], environment=rest[1], version=rest[2], mark=read
        )
    return None


def encode(mark: Mark) -> bytes:
    """`mark.json` of a mark."""
    return msgspec.json.format(to_json(mark), indent=2) + b"\n"


def decode(content: bytes | None) -> Mark | None:
    """A mark from its file, or None when it cannot be read in full."""
    try:
        mark = msgspec.json.decode(content or b"", type=Mark)
        moment(mark.since)
        if mark.until:
            moment(mark.until)
    except (msgspec.MsgspecError, ValueError, UnicodeDecodeError):
        return None
    return mark


def active(mark: Mark | None, now: datetime) -> bool:
    """Whether a mark counts now: not removed, not expired. An unreadable one counts."""
    if mark is None:
        return True
    return mark.removed is None and not (mark.until and moment(mark.until) <= now)


def holds(facts: MarkFacts, environment: str, now: datetime) -> tuple[Placed, ...]:
    """Holds in force for this app (or all) in an environment (or all)."""
    return tuple(
        placed
        for placed in _in_force(facts.marks, "hold", now)
        if placed.app in (facts.app, ALL) and placed.environment in (environment, ALL)
    )


def ban(facts: MarkFacts, version: str, now: datetime) -> Placed | None:
    """The ban in force on a version, or None."""
    bans = _in_force(facts.marks, "ban", now)
    return next((p for p in bans if p.app == facts.app and p.version == version), None)


def override(facts: MarkFacts, environment: str, version: str, now: datetime) -> Mark | None:
    """The override in force for a version in an environment.

    It counts once: when the version has come in and passed the gate there, it is used up.
    """
    mark = _override(facts, environment, version)
    if mark is None or not active(mark, now) or _arrived(facts, environment, version, mark):
        return None
    return mark


def let_in(facts: MarkFacts, environment: str, version: str) -> Mark | None:
    """The override that let in the version an environment runs, by its newest record; ended or used up by now."""
    mark = _override(facts, environment, version)
    newest = next(iter(records.deciding(facts.records.get(environment, ()))), None)
    runs = newest is not None and newest.evidence is not None and newest.evidence.version == version
    return mark if mark is not None and runs and _arrived(facts, environment, version, mark) else None


def rollback_to(facts: MarkFacts, environment: str, now: datetime) -> str:
    """The version that a rollback's hold in force names for an environment, or empty."""
    for placed in holds(facts, environment, now):
        if placed.mark is not None and placed.mark.kind == "rollback" and placed.app == facts.app:
            return placed.mark.to
    return ""


def make(
    kind: MarkKind,
    owner: str,
    reason: str,
    now: datetime,
    *,
    until: str = "",
    rules: tuple[str, ...] = (),
    to: str = "",
) -> Mark:
    """A new mark. Stop(bad-input) without an owner or a reason."""
    if not owner.strip() or not reason.strip():
        raise Stop(
            "bad-input",
            f"A {kind} needs {'an owner' if not owner.strip() else 'a reason'}.",
            "A mark contains its owner and a reason, so that other people know whom to ask.",
            "Give the input `reason`."
            if owner.strip()
            else "Run the action in a workflow, where GitHub reports the person who started the run.",
        )
    return Mark(
        kind=kind, owner=owner, reason=reason.strip(), since=rfc3339(now), until=until, rules=rules, to=to
    )


def besides(existing: Placed | None, mark: Mark, now: datetime) -> Mark:
    """What a person's hold becomes where a rollback holds already: the rollback's, which its change rests on, with
    the person's in its text. Anything else stays as it is."""
    was = existing.mark if existing else None
    if was is None or (was.kind, mark.kind) != ("rollback", "hold") or not active(was, now):
        return mark
    also_held = f"; also held {_said(mark)}"
    return was if also_held in was.reason else msgspec.structs.replace(was, reason=was.reason + also_held)


def removed(mark: Mark | None, by: str, now: datetime, kind: MarkKind = "hold") -> Mark:
    """The mark, taken away. One that does not count is replaced by a removed one of this kind that says so."""
    if mark is None:
        mark = Mark(kind=kind, owner=by, reason="the earlier mark was not valid", since=rfc3339(now))
    return msgspec.structs.replace(mark, removed=Removed(by=by, at=rfc3339(now)))


def describe(placed: Placed) -> str:
    """`by X: reason (until ...)`, for messages."""
    mark = placed.mark
    if mark is None:
        name = placed.ref.removeprefix("refs/heads/")
        return (
            f"by an unverified mark, which still stops promotions: "
            f"{placed.trouble or 'it cannot be read'} ({name})"
        )
    return _said(mark)


def _said(mark: Mark) -> str:
    until = f" (until {mark.until})" if mark.until else ""
    return f"by {mark.owner}: {mark.reason}{until}"


def _override(facts: MarkFacts, environment: str, version: str) -> Mark | None:
    """The override of a version in an environment, unless it was taken away or cannot be trusted."""
    for placed in facts.marks:
        wanted = (facts.app, environment, version) == (placed.app, placed.environment, placed.version)
        if placed.place == "override" and wanted and placed.mark and not placed.mark.removed:
            return placed.mark
    return None


def _arrived(facts: MarkFacts, environment: str, version: str, mark: Mark) -> bool:
    """Whether a roll-out of this version passed here after the mark was set."""
    return any(
        record.evidence is not None
        and (record.evidence.kind, record.evidence.outcome) == ("rollout", "passed")
        and record.evidence.version == version
        and moment(record.since) > moment(mark.since)
        for record in records.deciding(facts.records.get(environment, ()))
    )


def _in_force(marks: Iterable[Placed], kind: MarkPlace, now: datetime) -> Iterable[Placed]:
    return (placed for placed in marks if placed.place == kind and active(placed.mark, now))


def _part(name: str) -> str:
    if not _PART.fullmatch(name) or ".." in name or name.endswith((".", ".lock")):
        raise Stop(
            "bad-input",
            f"{name!r} cannot be part of the name of a mark.",
            "The names of apps, environments and versions contain only letters, digits and . + -",
            "Correct it.",
        )
    return name
