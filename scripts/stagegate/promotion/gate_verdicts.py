"""Reads verdicts of the gate as far back as a decision needs them. The newest of each environment come first, in
one page, and are nearly always enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from stagegate.clients.connections import Connections
from stagegate.evidence import history
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.model import Release
from stagegate.policy import candidate
from stagegate.policy.facts import Kind, PromotionFacts
from stagegate.versions import Version

Verdicts = Mapping[str, tuple[Record, ...]]  # of each environment, newest first


def to_choose(connections: Connections, draft: PromotionFacts, now: datetime, *, back: bool) -> Verdicts:
    """The verdicts that the choice of a release needs: to go back, to go on one after another, or to the newest."""
    if back:
        return (
            draft.records
            if candidate.rollback_target(draft, now).version
            else _further(connections, draft, now)
        )
    one_by_one = draft.policy_of(draft.environment).promotion.strategy == "each"
    return _since_running(connections, draft) if one_by_one else draft.records


def on_release(
    connections: Connections, draft: PromotionFacts, release: Release, environment: str, kind: Kind
) -> Verdicts:
    """With the verdict on this release, even where it lies further back than the newest records, and compared with
    its commit statuses.

    Whether there is one is asked by commit; then all records since are read, because soak asks what came after.
    Stop(unknown-state) where they are too many.
    """

    def judged(records: Sequence[Record]) -> bool:
        return any(r.sha == release.commit for r in evidence.about(records, release.version))

    verdicts = dict(draft.records)
    for name in (environment,) if kind == "rollback" else draft.policy_of(environment).after:
        records = verdicts.get(name, ())
        query = (connections.app, draft.app, name, draft.accepted, judged)
        if not judged(records) and judged(history.records(*query, sha=release.commit)):
            records = history.records(*query)
        verdicts[name] = history.confirmed(connections.app, records, name, release, draft.accepted)
    return verdicts


def _further(connections: Connections, draft: PromotionFacts, now: datetime) -> Verdicts:
    """As far back as a release to go back to, if there is one."""
    name = draft.environment

    def target(records: Sequence[Record]) -> str:
        reaching = msgspec.structs.replace(draft, records={**draft.records, name: tuple(records)})
        return candidate.rollback_target(reaching, now).version

    return {**draft.records, name: history.records(connections.app, draft.app, name, draft.accepted, target)}


def _since_running(connections: Connections, draft: PromotionFacts) -> Verdicts:
    """All verdicts of the environments before since that on what runs: the oldest goes first."""
    running = draft.standing(draft.environment).version

    def reached(records: Sequence[Record]) -> bool:
        newest = (record.evidence for record in evidence.deciding(records))
        return any(one and not candidate.comes_after(one.version, running) for one in newest)

    verdicts = dict(draft.records)
    for name in draft.policy_of(draft.environment).after if Version.is_valid(running) else ():
        if not reached(verdicts.get(name, ())):
            verdicts[name] = history.records(connections.app, draft.app, name, draft.accepted, reached)
    return verdicts
