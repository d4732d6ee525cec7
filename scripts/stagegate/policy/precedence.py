"""Which of two releases goes first into an environment: one proposed already, or one whose turn it is. Pure."""

from __future__ import annotations

from datetime import datetime

import semver

from stagegate.marks import marks
from stagegate.model import Message
from stagegate.policy import candidate, evidence_for
from stagegate.policy.facts import Facts, Subject


def kept(facts: Facts, subject: Subject, now: datetime) -> Message | None:
    """Why an open proposal is not replaced by this version: it is newer and may stand."""
    proposal = facts.proposal
    each = facts.policy_of(subject.environment).promotion.strategy == "each"
    if proposal is None or subject.kind == "rollback" or each:
        return None
    if not _is_older(subject.version, proposal.version) or not _stands(facts, proposal.version, now):
        return None
    return Message(
        what=f"{proposal.version} is proposed for {subject.environment} already (#{proposal.number}).",
        why=f"{subject.version} does not replace it: it is newer.",
        next="Merge or close that pull request first.",
    )


def queued(facts: Facts, subject: Subject, now: datetime) -> Message | None:
    """With strategy `each`, which release goes before this one: the oldest that may enter, or one proposed."""
    if subject.kind == "rollback" or facts.policy_of(subject.environment).promotion.strategy != "each":
        return None
    proposal = facts.proposal
    ahead = [candidate.by_strategy(facts, now).version]
    if proposal is not None and _stands(facts, proposal.version, now):
        ahead.append(proposal.version)
    first = next((version for version in ahead if _is_older(version, subject.version)), "")
    if not first:
        return None
    is_open = proposal is not None and proposal.version == first
    go_on = f"Merge #{proposal.number}" if proposal and is_open else f"Promote {first}"
    return Message(
        what=f"{facts.app} {subject.version} waits its turn for {subject.environment}.",
        why=f"With strategy `each` no release is left out, and {first} goes first.",
        next=f"{go_on}, or ban {first} to pass it over.",
    )


def _is_older(version: str, than: str) -> bool:
    valid = semver.Version.is_valid(version) and semver.Version.is_valid(than)
    return valid and semver.Version.parse(version) < than


def _stands(facts: Facts, version: str, now: datetime) -> bool:
    """Whether a proposed version may still enter: not banned, its evidence not revoked (or set aside)."""
    if marks.ban(facts, version, now) is not None:
        return False
    override = marks.override(facts, facts.environment, version, now)
    if override is not None and "evidence" in override.rules:
        return True
    places = facts.policy_of(facts.environment).after
    return all(evidence_for.of(facts, place, version).good for place in places)
