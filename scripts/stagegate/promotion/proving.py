"""What the pins name already: releases that nobody proved are reported, by whatever hand they came there (I1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from stagegate.clients import releases
from stagegate.errors import Stop
from stagegate.model import Finding, Release
from stagegate.promotion import facts as promotion_facts
from stagegate.promotion import ground, marks, proof
from stagegate.promotion.access import Access
from stagegate.promotion.ground import Ground
from stagegate.promotion.situation import Facts

RULE = "unproven-pin"


def unproven(doors: Access, soil: Ground, environments: Iterable[str], now: datetime) -> tuple[Finding, ...]:
    """A finding for each environment with something before it whose pins name a release without evidence.

    Evidence is that of every environment before, or the environment's own (passed, adopted), for these digests.
    """
    names = [name for name in environments if soil.settings.environment(name).after]
    if not names:
        return ()
    facts, _ = ground.facts(doors, soil, "evaluate", names[0], "", names[1:])
    found = []
    for name in names:
        standing = facts.standing(name)
        why = (
            standing.trouble if not standing.version else _lacking(doors, facts, name, standing.version, now)
        )
        if why:
            found.append(_finding(name, standing.version, why))
    return tuple(found)


def unproven_release(
    doors: Access, soil: Ground, environment: str, found: Release, now: datetime
) -> Finding | None:
    """The same about one release that an environment is to run, for its gate."""
    if not soil.settings.environment(environment).after:
        return None
    facts, _ = ground.facts(doors, soil, "evaluate", environment, "")
    if _is_set_aside(facts, environment, found.version, now):
        return None
    why = _said(doors, facts, environment, found)
    return _finding(environment, found.version, why) if why else None


def _lacking(doors: Access, facts: Facts, environment: str, version: str, now: datetime) -> str:
    """Why a version is not proven for an environment; empty when it is, or when somebody set evidence aside."""
    if _is_set_aside(facts, environment, version, now):
        return ""
    try:
        release = releases.find(facts.settings, version, doors.app, doors.registry)
    except Stop as stop:
        if stop.verdict.exit_code == 3:
            raise
        return f"{stop.what} {stop.why}"
    return _said(doors, facts, environment, release)


def _is_set_aside(facts: Facts, environment: str, version: str, now: datetime) -> bool:
    override = marks.override(facts, environment, version, now)
    return override is not None and "evidence" in override.rules


def _said(doors: Access, facts: Facts, environment: str, release: Release) -> str:
    """What the records say where neither the environment's own nor all of those before it prove a release."""
    facts = msgspec.structs.replace(facts, environment=environment)
    for kind in ("promote", "rollback"):
        facts = promotion_facts.complete(doors, facts, release, environment, kind)
    own = proof.of(facts, environment, release.version, release)
    before = [
        (place, proof.of(facts, place, release.version, release))
        for place in facts.policy_of(environment).after
    ]
    if own.state in ("passed", "adopted") or all(found.good for _, found in before):
        return ""
    said = [f"{place}: {found.detail}" for place, found in (*before, (environment, own)) if not found.good]
    return "; ".join(said)


def _finding(environment: str, version: str, why: str) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        environment=environment,
        object=version,
        message=f"{environment} is pinned to {version or 'no one version'}, which nobody proved.",
        why=f"{why}.",
        fix=f"Let it pass the environments before, or roll {environment} back (mode `rollback`). An override may "
        "set `evidence` aside; staging-gate `mode: adopt` records what ran here before stagegate did.",
    )
