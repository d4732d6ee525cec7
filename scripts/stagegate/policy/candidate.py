"""Which version an environment should run next. Pure: the same facts and clock choose the same version."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import semver

from stagegate.marks import marks
from stagegate.model import is_prerelease
from stagegate.policy import evidence_for
from stagegate.policy.facts import Facts


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The version chosen (empty: none), and why."""

    version: str
    why: str


def choose(facts: Facts, now: datetime) -> Choice:
    """The version asked for, else by strategy. Digests are compared later, by the rules."""
    if facts.requested:
        return Choice(version=facts.requested, why="asked for")
    return by_strategy(facts, now)


def by_strategy(facts: Facts, now: datetime) -> Choice:
    """The newest admissible version, or (`each`) the oldest, which is the next after what runs.

    Admissible: newer than what runs, passed in every environment before, not banned, no pre-release where none
    is admitted.
    """
    policy = facts.policy_of(facts.environment)
    running = facts.standing(facts.environment).version
    known = _passed(facts, policy.after) if policy.after else facts.tags
    admissible = [
        version
        for version in sorted(filter(semver.Version.is_valid, known), key=semver.Version.parse)
        if is_newer(version, running)
        and (policy.admits_prereleases or not is_prerelease(version))
        and marks.ban(facts, version, now) is None
    ]
    if not admissible:
        where = f"passed in {', '.join(policy.after)}" if policy.after else "been released"
        return Choice(version="", why=f"nothing newer than {running or 'what runs'} has {where}")
    if policy.promotion.strategy == "each":
        return Choice(version=admissible[0], why=f"the next one after {running or 'nothing'}")
    return Choice(version=admissible[-1], why="the newest one that may enter")


def rollback_target(facts: Facts, now: datetime) -> Choice:
    """The version to go back to: the one asked for, else the last that was good here and is not what runs now."""
    if facts.requested:
        return Choice(version=facts.requested, why="asked for")
    version = last_good(facts, facts.environment, facts.standing(facts.environment).version, now)
    if version:
        return Choice(version=version, why=f"the last one that was good in {facts.environment}")
    return Choice(version="", why=f"no earlier release was good in {facts.environment}")


def last_good(facts: Facts, environment: str, running: str, now: datetime) -> str:
    """The release before `running` that was good in an environment most recently; empty when none was."""
    for version in evidence_for.versions(facts, environment):
        good = evidence_for.of(facts, environment, version).state in ("passed", "adopted")
        if good and _is_older(version, running) and marks.ban(facts, version, now) is None:
            return version
    return ""


def _passed(facts: Facts, before: Iterable[str]) -> tuple[str, ...]:
    """Versions whose newest record is good in every environment named."""
    sets = [
        {v for v in evidence_for.versions(facts, name) if evidence_for.of(facts, name, v).state == "passed"}
        for name in before
    ]
    return tuple(set.intersection(*sets)) if sets else ()


def is_newer(version: str, running: str) -> bool:
    """Whether a version comes after what runs; true when that is no version."""
    return not semver.Version.is_valid(running) or semver.Version.parse(version) > running


def _is_older(version: str, running: str) -> bool:
    return version != running and (
        not semver.Version.is_valid(running) or semver.Version.parse(version) < running
    )
