"""Which version an environment should run next, and which of two goes first. Pure: facts and a clock decide."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from stagegate import versions
from stagegate.marks import marks
from stagegate.model import Message, is_prerelease
from stagegate.policy import evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.versions import Version


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The version chosen (empty: none), and why."""

    version: str
    why: str


def choose(facts: PromotionFacts, now: datetime) -> Choice:
    """The requested version, else by strategy. Digests are compared later, by the rules."""
    if facts.requested:
        return Choice(version=facts.requested, why="requested")
    return by_strategy(facts, now)


def by_strategy(facts: PromotionFacts, now: datetime) -> Choice:
    """The newest admissible version, or (`each`) the oldest, which is the next after what runs."""
    policy = facts.policy_of(facts.environment)
    running = facts.standing(facts.environment).version
    candidates = admissible(facts, now)
    if not candidates:
        where = f"passed in {', '.join(policy.after)}" if policy.after else "been released"
        return Choice(version="", why=f"no release newer than {running or 'the running one'} has {where}")
    if policy.promotion.strategy == "each":
        return Choice(version=candidates[0], why=f"the next release after {running or 'none'}")
    return Choice(version=candidates[-1], why="the newest release that may be promoted")


def admissible(facts: PromotionFacts, now: datetime) -> tuple[str, ...]:
    """The versions that may be proposed, the oldest first.

    Each is newer than what runs, passed in every environment before, and is neither banned nor a pre-release where
    none is admitted. What an evaluation proposes by itself has not run here before: a release that people or a gate
    took back comes again only when somebody names it.
    """
    policy = facts.policy_of(facts.environment)
    running = facts.standing(facts.environment).version
    candidates = _passed(facts, policy.after) if policy.after else facts.tags
    by_itself = facts.mode == "evaluate"
    return tuple(
        version
        for version in sorted(filter(Version.is_valid, candidates), key=Version.parse)
        if comes_after(version, running)
        and (policy.admits_prereleases or not is_prerelease(version))
        and marks.ban(facts, version, now) is None
        and not (by_itself and was_here(facts, version))
    )


def was_here(facts: PromotionFacts, version: str) -> bool:
    """Whether the environment has a finished record of a version."""
    return version in evidence_for.versions(facts, facts.environment)


def rollback_target(facts: PromotionFacts, now: datetime) -> Choice:
    """The version to go back to: the requested one, else the last that was good here and is not what runs now."""
    if facts.requested:
        return Choice(version=facts.requested, why="requested")
    version = last_good(facts, facts.environment, facts.standing(facts.environment).version, now)
    if version:
        return Choice(version=version, why=f"the last release that was good in {facts.environment}")
    return Choice(version="", why=f"no earlier release was good in {facts.environment}")


def last_good(facts: PromotionFacts, environment: str, running: str, now: datetime) -> str:
    """The release before `running` that was good in an environment most recently; empty when none was."""
    for version in evidence_for.versions(facts, environment):
        good = evidence_for.of(facts, environment, version).state in ("passed", "adopted")
        if good and comes_before(version, running) and marks.ban(facts, version, now) is None:
            return version
    return ""


def _passed(facts: PromotionFacts, before: Iterable[str]) -> tuple[str, ...]:
    """Versions whose newest record is good in every environment named."""
    sets = [
        {v for v in evidence_for.versions(facts, name) if evidence_for.of(facts, name, v).state == "passed"}
        for name in before
    ]
    return tuple(set.intersection(*sets)) if sets else ()


def comes_after(version: str, running: str) -> bool:
    """Whether a version is newer than what runs; true where what runs has no version."""
    return not Version.is_valid(running) or versions.is_newer(version, running)


def comes_before(version: str, running: str) -> bool:
    """Whether a version is older than what runs; true where what runs has no version."""
    return version != running and (not Version.is_valid(running) or versions.is_older(version, running))


def queued(facts: PromotionFacts, subject: Subject, now: datetime) -> Message | None:
    """With strategy `each`, which release goes before this one: the oldest that may enter, or one proposed."""
    if subject.kind == "rollback" or facts.policy_of(subject.environment).promotion.strategy != "each":
        return None
    proposal = facts.proposal
    ahead = [by_strategy(facts, now).version]
    if proposal is not None and may_still_enter(facts, proposal.version, now):
        ahead.append(proposal.version)
    first = next((version for version in ahead if versions.is_older(version, subject.version)), "")
    if not first:
        return None
    is_open = proposal is not None and proposal.version == first
    go_on = f"Merge #{proposal.number}" if proposal and is_open else f"Promote {first}"
    return Message(
        what=f"{facts.app} {subject.version} is queued for {subject.environment}.",
        why=f"With strategy `each` no release is left out, so {first}, the oldest release that waits, "
        "is next.",
        next=f"{go_on}, or ban {first} to skip this release.",
    )


def may_still_enter(facts: PromotionFacts, version: str, now: datetime) -> bool:
    """Whether a proposed version may still enter: not banned, its evidence not revoked (or set aside)."""
    if marks.ban(facts, version, now) is not None:
        return False
    override = marks.override(facts, facts.environment, version, now)
    if override is not None and "evidence" in override.rules:
        return True
    places = facts.policy_of(facts.environment).after
    return all(evidence_for.of(facts, place, version).good for place in places)
