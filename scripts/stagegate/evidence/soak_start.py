"""When a release became good in an environment: the moment that a soak counts from. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from stagegate.evidence.records import Record, differs
from stagegate.model import Release


def good_since(counted: Sequence[Record], newest: Record, release: Release) -> str:
    """The time of the first of an unbroken row of good records of these digests that ends in the newest."""
    row = [r for r in counted if r.created <= newest.created or r is newest]
    since, outcome = newest.since, newest.evidence.outcome if newest.evidence else ""
    for record in row:
        good = record.evidence and record.evidence.outcome in ("passed", "adopted")
        if not good or record.evidence is None or record.evidence.version != release.version:
            break
        if differs(record.evidence, release) or record.evidence.outcome != outcome:
            break
        since = record.since
    return since
