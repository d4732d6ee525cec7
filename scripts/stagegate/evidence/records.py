"""Evidence: records of gate verdicts as deployments keep them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from stagegate.model import Actor, Evidence, EvidenceKind, Release

_DECIDING = ("rollout", "adopt", "skip")


class StatusLike(Protocol):
    """The fields of a deployment status, from any reader."""

    @property
    def state(self) -> str: ...
    @property
    def created_at(self) -> str: ...
    @property
    def creator(self) -> Actor | None: ...


class DeploymentLike(Protocol):
    """The fields of a deployment, from any reader."""

    @property
    def id(self) -> int: ...
    @property
    def sha(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def environment(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
    @property
    def creator(self) -> Actor | None: ...
    @property
    def created_at(self) -> str: ...
    @property
    def statuses(self) -> Sequence[StatusLike]: ...


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment of ours. `evidence` None: it cannot be read. `since`: RFC 3339 time of the accepted deployment
    status that completed it, empty while it is unfinished.

    `version` and `trouble` belong to one that is missing: the release it was about, and how that is known.
    """

    id: int
    sha: str
    created: str
    creator: Actor | None
    evidence: Evidence | None
    since: str = ""
    version: str = ""
    trouble: str = ""


def task(app: str, kind: EvidenceKind = "rollout") -> str:
    """The deployments' task: one for each app, and another for looks, which come every night and decide nothing."""
    return f"stagegate:{app}:look" if kind == "look" else f"stagegate:{app}"


def context(app: str, environment: str) -> str:
    """The commit status' context."""
    return f"stagegate/{app}/{environment}"


def decode(payload: Mapping[str, Any]) -> Evidence | None:
    """The evidence in a payload, or None when it is not one we understand."""
    fields = dict(payload)
    if fields.get("kind") == "schedule":  # the earlier word for a look
        fields["kind"] = "look"
    try:
        return msgspec.convert(fields, Evidence)
    except msgspec.ValidationError:
        return None


def records(
    deployments: Iterable[DeploymentLike], app: str, environment: str, accepted: Sequence[Actor]
) -> tuple[Record, ...]:
    """The records of an app in an environment by accepted creators, newest first.

    A deployment of anybody else is not a record, whatever it says; neither is one whose evidence names
    another app, environment, commit or kind than the deployment itself.
    """
    read_records = []
    for deployment in deployments:
        evidence = decode(deployment.payload)
        expected = task(app, evidence.kind) if evidence else task(app)
        if (deployment.task, deployment.environment) != (expected, environment):
            continue
        if not is_accepted(deployment.creator, accepted):
            continue
        if evidence and (evidence.app, evidence.environment, evidence.commit) != (
            app,
            environment,
            deployment.sha,
        ):
            continue
        read_records.append(
            Record(
                id=deployment.id,
                sha=deployment.sha,
                created=deployment.created_at,
                creator=deployment.creator,
                evidence=evidence,
                since=_completed(deployment, evidence, accepted),
            )
        )
    return tuple(sorted(read_records, key=lambda record: (record.created, record.id), reverse=True))


def is_accepted(creator: Actor | None, accepted: Sequence[Actor]) -> bool:
    """Whether one of the accepted beings wrote it."""
    return any(being.same(creator) for being in accepted)


def deployment_state(evidence: Evidence) -> Literal["success", "failure"]:
    """State of the deployment status and of the commit status: GitHub has no word for skipped."""
    return "success" if evidence.outcome in ("passed", "adopted") else "failure"


def _completed(deployment: DeploymentLike, evidence: Evidence | None, accepted: Sequence[Actor]) -> str:
    """The time when an accepted account set the state that matches the evidence (others only set `inactive`)."""
    wanted = deployment_state(evidence) if evidence else None
    times = [
        status.created_at
        for status in deployment.statuses
        if is_accepted(status.creator, accepted) and wanted in (status.state, None)
    ]
    return min(times, default="")


def deciding(records: Iterable[Record]) -> tuple[Record, ...]:
    """Completed records of a roll-out, adopt or skip. One that cannot be read is among them: it is not nothing."""
    return tuple(r for r in records if r.since and (r.evidence is None or r.evidence.kind in _DECIDING))


def about(records: Iterable[Record], version: str) -> tuple[Record, ...]:
    """The deciding records of a version, and those that cannot be read: they may be about it."""
    return tuple(
        r
        for r in deciding(records)
        if (r.evidence.version if r.evidence else r.version or version) == version
    )


def differs(evidence: Evidence, release: Release) -> str:
    """A sentence about the first digest that is not the release's, or nothing. Order of images is nothing."""
    if evidence.commit != release.commit:
        return (
            f"the evidence is for commit {evidence.commit[:12]}, but the release is commit "
            f"{release.commit[:12]}"
        )
    ours, theirs = release.chart, evidence.chart
    if (ours and ours.digest) != (theirs and theirs.digest):
        was, now = (chart.digest if chart else "none" for chart in (theirs, ours))
        return f"the chart {was} was tested, but the release has the chart {now}"
    tested = {image.reference: image.digest for image in evidence.images}
    released = {image.reference: image.digest for image in release.images}
    for reference in sorted({*tested, *released}):
        was, now = tested.get(reference, "none"), released.get(reference, "none")
        if was != now:
            return f"{reference}: {was} was tested, {now} is released"
    return ""
