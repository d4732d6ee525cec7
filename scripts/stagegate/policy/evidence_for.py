"""What the evidence says about a version in an environment. Pure; the one reader of records decides."""

from __future__ import annotations

from stagegate.evidence import records as evidence
from stagegate.evidence import verdict as evidence_verdict
from stagegate.evidence.records import Record
from stagegate.evidence.verdict import Verdict
from stagegate.model import Evidence, Release
from stagegate.policy.facts import PromotionFacts


def of(facts: PromotionFacts, environment: str, version: str, release: Release | None = None) -> Verdict:
    """The verdict on a version here, its digests compared with `release`.

    Without `release` the newest record's own digests stand in for it: enough to choose a candidate, never to
    promote one.
    """
    records = facts.records.get(environment, ())
    if release is None:
        newest = next((r.evidence for r in records if r.evidence and r.evidence.version == version), None)
        release = described(newest) if newest else Release(app=facts.app, version=version, tag="", commit="")
    return evidence_verdict.of(records, release)


def described(evidence: Evidence) -> Release:
    """The release of a record."""
    return Release(
        app=evidence.app,
        version=evidence.version,
        tag=evidence.tag,
        commit=evidence.commit,
        chart=evidence.chart,
        images=evidence.images,
    )


def successors(facts: PromotionFacts, environment: str, verdict: Verdict) -> tuple[Record, ...]:
    """The verdicts here on other versions since the one found, the oldest first: from the first of them on, that
    one ran no more."""
    counted = evidence.deciding(facts.records.get(environment, ()))
    newer = counted[: counted.index(verdict.record)] if verdict.record in counted else ()
    return tuple(reversed(newer))


def versions(facts: PromotionFacts, environment: str) -> tuple[str, ...]:
    """Versions with a finished record in an environment, the latest first."""
    judged = (r.evidence.version for r in facts.records.get(environment, ()) if r.evidence and r.since)
    return tuple(dict.fromkeys(judged))
