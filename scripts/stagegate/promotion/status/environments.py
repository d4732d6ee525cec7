"""The status of one environment, from facts and a clock. Pure: the rules of a promotion decide what waits."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from stagegate.clients.hub import BranchPull
from stagegate.evidence.verdict import Verdict
from stagegate.marks import marks
from stagegate.model import RuleResult, moment
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.policy import candidate, evidence_for
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.policy.rules import freeze, soak, window
from stagegate.promotion.status import stuck
from stagegate.promotion.status.facts import StatusFacts, version_of
from stagegate.promotion.status.next_step import next_step
from stagegate.report.status import EnvironmentStatus, GateState, OpenPromotion
from stagegate.report.times import utc
from stagegate.settings import Environment, seconds

_GATES: dict[str, GateState] = {
    "passed": "passed", "adopted": "adopted", "failed": "failed", "revoked": "revoked", "mismatch": "failed",
    "skipped": "skipped", "none": "none",
}  # fmt: skip
_OTHER_SOFTWARE = ("content-differs", "image-moved", "rollout-failed", "wrong-source")


def status(facts: StatusFacts, place: Environment, now: datetime) -> EnvironmentStatus:
    """Everything about one environment."""
    about = msgspec.structs.replace(facts.promotion, environment=place.name)
    standing = about.standing(place.name)
    version = _version(facts, standing)
    verdict = evidence_for.of(about, place.name, version) if version else None
    pull = next((pull for pull in facts.pulls_of(place.name) if pull.state == "open"), None)
    coming = version_of(pull) if pull else _next_version(about, now)
    soaking, waiting = _times(about, place, coming, version, pull, now)
    shown = _gated(facts, place, version, verdict, now)
    shown = msgspec.structs.replace(
        shown,
        after=place.after,
        production=place.is_production,
        version=version or standing.commit[:12],
        pinned_at=_pinned_at(facts, place.name),
        soaks_until=soaking.until if soaking.state == "wait" else "",
        hold="; ".join(marks.describe(mark) for mark in marks.holds(about, place.name, now)),
        freeze=waiting.detail if waiting.state == "wait" else "",
        promotion=_open(pull) if pull else None,
        next_version="" if pull else coming,
        drift=_drift(standing) or _looked(facts, place.name, verdict, other_software=True),
        suspect=_looked(facts, place.name, verdict, other_software=False),
        trouble=_trouble(facts, standing, waiting) or shown.trouble,
    )
    shown = msgspec.structs.replace(shown, stuck=stuck.why(facts, place, shown, soaking, now))
    words, command = next_step(about.app, shown)
    return msgspec.structs.replace(shown, next=words, command=command)


def bans(facts: StatusFacts, now: datetime) -> tuple[str, ...]:
    """The bans in force on versions of the app, in words."""
    bans = (p for p in facts.promotion.marks if p.place == "ban" and p.app == facts.promotion.app)
    return tuple(f"{p.version} is banned {marks.describe(p)}" for p in bans if marks.active(p.mark, now))


def _version(facts: StatusFacts, standing: PinnedVersion) -> str:
    """The version that pins name, also where they name its commit."""
    if standing.version or not standing.commit:
        return standing.version
    tag = next((tag for tag in facts.tags if tag.commit.startswith(standing.commit)), None)
    return tag.name.removeprefix(facts.tag_prefix) if tag else ""


def _gated(
    facts: StatusFacts, place: Environment, version: str, verdict: Verdict | None, now: datetime
) -> EnvironmentStatus:
    """The gate's verdict on the version here, and whether the gate is running."""
    if verdict is None:
        return EnvironmentStatus(
            name=place.name, gate="none", gate_detail="stagegate knows no release in this environment"
        )
    record = verdict.record
    evidence = record.evidence if record else None
    tag, newest = facts.tag(version), facts.gate_status(place.name, version)
    shown = EnvironmentStatus(
        name=place.name,
        commit=tag.commit if tag else (evidence.commit if evidence else ""),
        tag_url=f"{facts.app_url}/releases/tag/{tag.name}" if tag else "",
        gate=_GATES.get(verdict.state, "unknown"),
        gate_detail=verdict.detail,
        gate_at=record.since if record else "",
        gate_url=facts.run_url(evidence.run) if evidence else "",
        checks=evidence.tests if evidence else 0,
        checks_passed=evidence.tests_passed if evidence else 0,
        since=verdict.since,
        by=evidence.actor if evidence else "",
    )
    later = newest is not None and (not shown.gate_at or moment(newest.created_at) > moment(shown.gate_at))
    if newest is None or not later or newest.state not in ("pending", "error"):
        return shown
    if newest.state == "error":
        return msgspec.structs.replace(
            shown,
            trouble=f"the gate ended without a verdict at {utc(newest.created_at)}: {newest.description}",
        )
    longest = timedelta(seconds=seconds(place.gate.timeout) + 3600)
    late = moment(newest.created_at) + longest < now
    return msgspec.structs.replace(
        shown,
        gate=shown.gate if late else "running",
        gate_url=newest.target_url or shown.gate_url,
        stuck=f"a gate began at {utc(newest.created_at)} and has not ended" if late else "",
    )


def _next_version(about: PromotionFacts, now: datetime) -> str:
    return candidate.by_strategy(about, now).version


def _times(
    about: PromotionFacts,
    place: Environment,
    coming: str,
    version: str,
    pull: BranchPull | None,
    now: datetime,
) -> tuple[RuleResult, RuleResult]:
    """What the rules of time say: of soak (where a version is coming), and of freeze and window."""
    subject = Subject(
        environment=place.name,
        kind="promote",
        version=coming,
        before=version,
        proposed_at=pull.opened if pull else "",
    )
    soaking = (
        soak.RULE.check(subject, about, now) if coming else RuleResult(rule="soak", state="pass", detail="")
    )
    results = [freeze.RULE.check(subject, about, now), window.RULE.check(subject, about, now)]
    waiting = next((result for result in results if result.state != "pass"), results[0])
    return soaking, waiting


def _pinned_at(facts: StatusFacts, environment: str) -> str:
    newest = next(iter(facts.moves.get(environment, ())), None)
    return newest.committed_at if newest else ""


def _open(pull: BranchPull) -> OpenPromotion:
    status = pull.status
    return OpenPromotion(
        number=pull.number,
        url=pull.url,
        version=version_of(pull),
        state=status.state if status else "not judged",
        opened=pull.opened,
        detail=status.description if status else "",
    )


def _drift(standing: PinnedVersion) -> str:
    return (
        f"the pins name a range or a branch, so Argo CD changes the release by itself: {standing.trouble}"
        if standing.is_range
        else ""
    )


def _looked(facts: StatusFacts, environment: str, verdict: Verdict | None, *, other_software: bool) -> str:
    """A problem that the newest look found after the gate, in words; of one of two kinds."""
    since = verdict.record.since if verdict and verdict.record else ""
    look = next((look for look in facts.looks.get(environment, ()) if look.since), None)
    evidence = look.evidence if look else None
    if look is None or evidence is None or evidence.outcome != "failed" or (since and look.since <= since):
        return ""
    if (evidence.reason in _OTHER_SOFTWARE) is not other_software:
        return ""
    detail = next(
        (f": {check.detail}" for check in evidence.checks if check.outcome == "failed" and check.detail), ""
    )
    return (
        f"a gate run on the unchanged environment ended at {utc(look.since)} with {evidence.reason}{detail}"
    )


def _trouble(facts: StatusFacts, standing: PinnedVersion, waiting: RuleResult) -> str:
    """The unknown facts of an environment: its pins, a rule of time, or a part that could not be read."""
    parts = [
        f"{part} could not be read" for part in ("looks", "tags", "pull requests") if part in facts.unread
    ]
    if standing.trouble and not standing.is_range:
        parts.insert(0, standing.trouble)
    if waiting.state == "unknown":
        parts.append(waiting.detail)
    return "; ".join(parts)
