"""What the records of an environment prove about a release. Pure.

The one judge for the gate (was it proven already), publication and promotion (may a release go on).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from stagegate.evidence.records import Record, about, deciding, differs
from stagegate.evidence.soak_start import good_since
from stagegate.model import Release

State = Literal["passed", "failed", "revoked", "adopted", "skipped", "mismatch", "none", "unknown"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the records say about a release in an environment.

    `since` is when it became good there (RFC 3339), soak counts from it; only for passed and adopted.
    """

    state: State
    detail: str
    since: str = ""
    record: Record | None = None

    @property
    def good(self) -> bool:
        """Evidence for the next environment; adopted is only a rollback target."""
        return self.state == "passed"


def of(records: Sequence[Record], release: Release) -> Verdict:
    """What the newest deciding record of this release says: success only for exactly these digests.

    `records` are those of one environment, of any version, newest first, by accepted creators.
    """
    counted = deciding(records)
    ours = about(counted, release.version)
    if not ours:
        return Verdict(state="none", detail=f"no gate has tested {release.version} in this environment")
    newest = ours[0]
    evidence = newest.evidence
    if evidence is None:
        detail = newest.trouble or f"the GitHub deployment {newest.id} cannot be read"
        return Verdict(state="unknown", detail=detail, record=newest)
    difference = differs(evidence, release)
    if difference:
        return Verdict(state="mismatch", detail=difference, record=newest)
    if evidence.outcome == "skipped":
        skip = evidence.skip
        detail = f"skipped by {skip.actor}: {skip.reason}" if skip else "skipped"
        return Verdict(state="skipped", detail=detail, record=newest)
    if evidence.outcome == "failed":
        earlier = any(_passed(r, release) for r in ours[1:])
        word: State = "revoked" if earlier else "failed"
        detail = f"{evidence.reason} at {newest.since}"
        return Verdict(
            state=word, detail=f"the gate passed, but then {detail}" if earlier else detail, record=newest
        )
    since = good_since(counted, newest, release)
    if evidence.outcome == "adopted":
        return Verdict(state="adopted", detail=f"adopted by {evidence.actor}", since=since, record=newest)
    return Verdict(state="passed", detail=f"passed at {newest.since}", since=since, record=newest)


def _passed(record: Record, release: Release) -> bool:
    return bool(
        record.evidence and record.evidence.outcome == "passed" and not differs(record.evidence, release)
    )
