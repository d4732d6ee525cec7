"""The hold that a rollback sets before anything else."""

from __future__ import annotations

from datetime import datetime

from stagegate.clients import hub
from stagegate.marks import marks, store
from stagegate.model import Change
from stagegate.policy.facts import PromotionFacts, Subject


def for_rollback(
    pins: hub.Hub, facts: PromotionFacts, subject: Subject, owner: str, reason: str, now: datetime
) -> tuple[Change, ...]:
    """A rollback's own hold, set first: without it the next run would promote the bad release again."""
    existing = next((p for p in marks.holds(facts, subject.environment, now) if p.app == facts.app), None)
    if existing and existing.mark and (existing.mark.kind, existing.mark.to) == ("rollback", subject.version):
        return ()
    before = f"; before it was held {marks.describe(existing)}" if existing else ""
    why = (reason or f"rolled back from {subject.before}") + before
    mark = marks.make("rollback", owner, why, now, to=subject.version)
    ref = marks.hold_ref(facts.app, subject.environment)
    return store.put(pins, ref, mark, store.current(pins, ref, facts.accepted, now), now)
