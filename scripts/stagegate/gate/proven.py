"""Decides whether this gate run is unneeded: the release is proven, or another run runs the gate. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stagegate.evidence import records as evidence
from stagegate.evidence import verdict as evidence_verdict
from stagegate.evidence.records import Record
from stagegate.model import Evidence, Release, trailers


def record(records: Sequence[Record], release: Release, policy: str) -> Record | None:
    """The newest verdict, if it is a pass of exactly these digests under the policy in force now."""
    verdict = evidence_verdict.of(records, release)
    newest = verdict.record
    if verdict.state != "passed" or newest is None or newest.evidence is None:
        return None
    is_last = evidence.deciding(records)[0].id == newest.id  # no other release was deployed since
    return newest if is_last and newest.evidence.policy == policy else None


def last_good(records: Sequence[Record], release: Release) -> Evidence | None:
    """The evidence of the newest verdict here, if it is a pass or an adoption of exactly these digests."""
    newest = next(iter(evidence.deciding(records)), None)
    if newest is None or newest.evidence is None or newest.evidence.version != release.version:
        return None
    good = newest.evidence.outcome in ("passed", "adopted")
    return newest.evidence if good and not evidence.differs(newest.evidence, release) else None


def unchanged(then: Mapping[str, bytes | None], now: Mapping[str, bytes | None]) -> bool:
    """Whether pins and values have exactly the same bytes as when the evidence was made."""
    return then.keys() == now.keys() and all(
        then[file] == now[file] and now[file] is not None for file in now
    )


def mover(named: Mapping[str, str], environment: str, own_run: str) -> str:
    """The run that changed the environment's pin, if it is another run of stagegate."""
    run = named.get(trailers.RUN, "")
    return run if named.get(trailers.ENVIRONMENT) == environment and run != own_run else ""


def is_looking(target_url: str, state: str, run: str) -> bool:
    """Whether a commit status is from the gate of that run, pending or final."""
    return target_url.rstrip("/").endswith(f"/actions/runs/{run}") and state in (
        "pending",
        "success",
        "failure",
    )
