"""Whether the commit statuses of a release agree with its records. Pure.

Anybody who may write deployments can delete one, once it is inactive. Nobody can delete a commit status, so the
newest accepted one has to say the same as the newest record: what was deleted or is missing is unknown (I2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.model import Actor, Release
from stagegate.versions import Version

_VERDICTS = ("success", "failure")  # pending and error are no verdict, and revoke nothing


class StatusLike(Protocol):
    """The fields of a commit status, from any reader."""

    @property
    def context(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def creator(self) -> Actor | None: ...
    @property
    def created_at(self) -> str: ...


def checked(
    records: Sequence[Record],
    statuses: Iterable[StatusLike],
    environment: str,
    release: Release,
    accepted: Sequence[Actor],
) -> tuple[Record, ...]:
    """The records of an environment, newest first, with one that cannot be read wherever a status has none.

    `statuses` are those of the release's commit, newest first. A failure is such a record of its own: what is good
    now was not good before it.
    """
    context = evidence.context(release.app, environment)
    verdicts = [
        status
        for status in statuses
        if status.context == context
        and status.state in _VERDICTS
        and evidence.is_accepted(status.creator, accepted)
        and _is_about(status, release.version)
    ]
    failures = [
        _unread(release, status.created_at, "a gate failed at this time")
        for status in verdicts
        if status.state == "failure"
    ]
    own = [
        r for r in evidence.about(records, release.version) if r.evidence is None or r.sha == release.commit
    ]
    newest = own[0] if own else None
    kept = sorted((*records, *failures), key=lambda record: record.created, reverse=True)
    trouble = _disagreement(newest, verdicts[0] if verdicts else None, environment)
    if not trouble:
        return tuple(_in_place(kept, records, newest))
    since = verdicts[0].created_at if verdicts else newest.since if newest else ""
    return (_unread(release, since, trouble), *kept)


def _in_place(kept: Iterable[Record], records: Sequence[Record], newest: Record | None) -> Iterable[Record]:
    """Without failures that would stand before the newest record of the release: it is about one of them."""
    if newest is None:
        return records
    return (r for r in kept if r in records or r.created < newest.created)


def _disagreement(newest: Record | None, status: StatusLike | None, environment: str) -> str:
    """What is wrong between the newest record and the newest verdict among the statuses, or nothing."""
    if newest is None:
        return f"the record of its gate in {environment} is missing" if status is not None else ""
    if newest.evidence is None or evidence.deployment_state(newest.evidence) != "success":
        return ""  # not good as it is, whatever a status says
    if status is None:
        return (
            f"GitHub the GitHub deployment {newest.id} reports {newest.evidence.outcome}, but no "
            "commit status confirms it"
        )
    if status.state == "failure":
        recorded = f"GitHub the GitHub deployment {newest.id} reports {newest.evidence.outcome}"
        return f"{recorded}, but the newest commit status is: {status.description}"
    return ""


def _is_about(status: StatusLike, version: str) -> bool:
    """Whether a status may be about this version; it begins with another one where a commit has two releases."""
    first = status.description.partition(" ")[0].rstrip(":")
    return first == version or not Version.is_valid(first)


def _unread(release: Release, since: str, trouble: str) -> Record:
    return Record(
        id=0,
        sha=release.commit,
        created=since,
        creator=None,
        evidence=None,
        since=since,
        version=release.version,
        trouble=trouble,
    )
