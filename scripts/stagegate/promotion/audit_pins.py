"""Audits pins after any merge: what they name has evidence, is not banned, and did not enter during a hold (I1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.evidence import records, releases
from stagegate.gate.facts import Objection
from stagegate.marks import marks
from stagegate.model import Finding, Release, moment
from stagegate.pins import pinned_version
from stagegate.policy import evidence_for
from stagegate.policy.facts import Kind, PromotionFacts
from stagegate.promotion import app_state, gate_verdicts, moved
from stagegate.promotion.app_state import AppState
from stagegate.promotion.run import PromotionRun

_LISTED = 300  # files of a comparison that GitHub lists at most

REASONS: Mapping[str, str] = {
    "unproven-pin": "no-evidence",
    "banned-pin": "banned-version",
    "held-pin": "held-back",
}


def due(started: PromotionRun, state: AppState, environments: Iterable[str]) -> tuple[str, ...]:
    """The environments to audit now.

    For one app every one. For all apps of a repository those whose files a push has changed, and every one on a
    schedule: nothing else moves a pin, and an audit costs several requests.
    """
    names, context = tuple(environments), started.context
    if started.alone or context.event_name == "schedule":
        return names
    if context.event_name != "push":
        return ()
    push = moved.push(context.event_name, context.event())
    if push.everything:
        return names
    compared = started.connections.pins.compare(push.before, push.after)
    if compared.behind or len(compared.files) >= _LISTED:
        return names
    pinned = {name: pinned_version.files_of(state.settings.environment(name)) for name in names}
    return tuple(name for name in names if set(pinned[name]) & set(compared.files))


def unproven(
    connections: Connections, state: AppState, environments: Iterable[str], now: datetime
) -> tuple[Finding, ...]:
    """A finding for each environment whose pins name what should not have come there."""
    names = list(environments)
    if not names:
        return ()
    facts, _ = app_state.facts(connections, state, "evaluate", names[0], "", names[1:])
    findings = []
    for name in names:
        standing = facts.standing(name)
        if standing.version:
            release = _release(connections, facts, standing.version)
            findings.append(_judge(connections, state, facts, name, standing.version, release, now))
        elif state.settings.environment(name).after:
            findings.append(_unproven(name, "", standing.trouble))
    return tuple(finding for finding in findings if finding is not None)


def objection(
    connections: Connections, state: AppState, environment: str, release: Release, now: datetime
) -> Objection | None:
    """Why a gate must not accept this release in an environment, or None."""
    facts, _ = app_state.facts(connections, state, "evaluate", environment, "")
    finding = _judge(connections, state, facts, environment, release.version, release, now)
    return Objection(reason=REASONS[finding.rule], finding=finding) if finding else None


def _judge(
    connections: Connections,
    state: AppState,
    shared: PromotionFacts,
    environment: str,
    version: str,
    release: Release | str,
    now: datetime,
) -> Finding | None:
    """The first objection to a version in an environment, unless an override sets it aside.

    `release` may be why there is none.
    """
    facts = msgspec.structs.replace(shared, environment=environment)
    override = marks.override(facts, environment, version, now) or marks.let_in(facts, environment, version)
    aside = override.rules if override else ()
    if "ban" not in aside and (ban := marks.ban(facts, version, now)) is not None:
        return _banned(environment, version, marks.describe(ban))
    if "evidence" not in aside and state.settings.environment(environment).after:
        why = release if isinstance(release, str) else _lacking(connections, facts, environment, release)
        if why:
            return _unproven(environment, version, why)
    if "hold" not in aside and (hold := _came_during(connections, state, facts, environment, version, now)):
        return _held(environment, version, hold)
    return None


def _release(connections: Connections, facts: PromotionFacts, version: str) -> Release | str:
    """The release, or why there is none."""
    try:
        return releases.reviewed(facts.settings, version, connections.app, connections.registry)
    except Stop as stop:
        if stop.verdict.exit_code == 3:
            raise
        return f"{stop.what} {stop.why}"


def _lacking(connections: Connections, shared: PromotionFacts, environment: str, release: Release) -> str:
    """What the records say where neither the environment's own nor all of those before it prove a release.

    Evidence is that of every environment before, or the environment's own (passed, adopted), for these digests.
    """
    kinds: tuple[Kind, ...] = ("promote", "rollback")
    draft = shared
    for kind in kinds:
        read = gate_verdicts.on_release(connections, draft, release, environment, kind)
        draft = msgspec.structs.replace(draft, records=read)
    own = evidence_for.of(draft, environment, release.version, release)
    before = [
        (place, evidence_for.of(draft, place, release.version, release))
        for place in draft.policy_of(environment).after
    ]
    if own.state in ("passed", "adopted") or all(verdict.good for _, verdict in before):
        return ""
    reasons = [
        f"{place}: {verdict.detail}" for place, verdict in (*before, (environment, own)) if not verdict.good
    ]
    return "; ".join(reasons)


def _came_during(
    connections: Connections,
    state: AppState,
    facts: PromotionFacts,
    environment: str,
    version: str,
    now: datetime,
) -> str:
    """The hold that was in force already when this version came, in words; empty when none was.

    What ran here before, as the newest record says, did not come during the hold, whatever touched its file since.
    """
    holds = [p for p in marks.holds(facts, environment, now) if p.mark is not None]
    files = pinned_version.files_of(state.settings.environment(environment))
    if not holds or not files or marks.rollback_to(facts, environment, now) == version:
        return ""
    newest = next(iter(records.deciding(facts.records.get(environment, ()))), None)
    if newest is not None and newest.evidence is not None and newest.evidence.version == version:
        return ""
    moved = max(
        (
            commit.committed_at
            for file in files
            for commit in connections.pins.history(state.head, first=1, path=file)
        ),
        key=moment,
        default="",
    )
    before = [p for p in holds if moved and p.mark is not None and moment(p.mark.since) < moment(moved)]
    return marks.describe(before[0]) if before else ""


def _unproven(environment: str, version: str, why: str) -> Finding:
    return _finding(
        "unproven-pin",
        environment,
        version,
        f"{environment} is pinned to {version or 'no single version'}, which has no passing evidence.",
        f"{why}.",
        f"Run the gates of the environments in `after` for this release, or roll {environment} "
        "back with the mode `rollback`. An override can set the rule `evidence` aside. If the "
        "release ran before stagegate was set up, record it with staging-gate and `mode: adopt`.",
    )


def _banned(environment: str, version: str, ban: str) -> Finding:
    return _finding(
        "banned-pin",
        environment,
        version,
        f"{environment} is pinned to {version}, which is banned.",
        f"The version is banned {ban}.",
        f"Roll {environment} back with the mode `rollback`, or lift the ban with the mode `unban`.",
    )


def _held(environment: str, version: str, hold: str) -> Finding:
    return _finding(
        "held-pin",
        environment,
        version,
        f"The pins of {environment} changed to {version} while a hold was in force.",
        f"The environment is held {hold}.",
        f"Roll {environment} back with the mode `rollback`, or lift the hold with the mode `unhold`.",
    )


def _finding(rule: str, environment: str, version: str, message: str, why: str, fix: str) -> Finding:
    return Finding(
        rule=rule,
        severity="error",
        environment=environment,
        object=version,
        message=message,
        why=why,
        fix=fix,
    )
