"""Decides what a gate run does: test the release, complete an earlier record, or nothing. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from stagegate.evidence import verdict as evidence_verdict
from stagegate.evidence.records import Record
from stagegate.gate import verdict
from stagegate.gate.facts import Facts
from stagegate.gate.request import GateRequest
from stagegate.model import EvidenceKind


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, and what kind of evidence it makes. `record` is the one to complete, or the one that proves the
    release already. `already` says that nothing was left undone by an earlier attempt of this run.
    """

    do: Literal["complete", "proven", "busy", "object", "gate"]
    kind: EvidenceKind
    record: Record | None = None
    already: bool = False


def plan(facts: Facts, request: GateRequest, run: str) -> Intent:
    """The same facts and request give the same intent. `run` is the id of this workflow run."""
    kind = verdict.KINDS[request.mode]
    begin = verdict.start(facts.records, facts.release, run, request.mode)
    if begin.record is not None and begin.record.evidence is not None:
        return Intent(do="complete", kind=kind, record=begin.record, already=begin.do == "already")
    if request.mode == "adopt":  # existing evidence is better than an adoption
        passed = evidence_verdict.of(facts.records, facts.release)
        if passed.good and passed.record is not None:
            return Intent(do="proven", kind=kind, record=passed.record)
    if request.judges and facts.objection is not None:
        return Intent(do="object", kind=kind)
    if request.judges and not facts.others.insisted:
        if facts.others.proof is not None:
            return Intent(do="proven", kind=kind, record=facts.others.proof)
        if facts.others.run:
            return Intent(do="busy", kind=kind)
        if facts.others.unchanged:
            return Intent(do="gate", kind="look")
    return Intent(do="gate", kind=kind)
