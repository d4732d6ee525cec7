"""Reads what a promotion is judged by, in few calls, and edits in memory. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import semver

from stagegate import evidence
from stagegate.clients import history, releases
from stagegate.errors import Stop
from stagegate.evidence import Record
from stagegate.model import Release
from stagegate.promotion import branches, candidate, ground, labelled, proposals, sides, standings, vanishing
from stagegate.promotion.access import Access
from stagegate.promotion.difference import Difference
from stagegate.promotion.ground import Files
from stagegate.promotion.situation import Facts, Kind, Subject
from stagegate.settings import Settings


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Facts, and the rendered difference that only the text needs."""

    facts: Facts
    difference: Difference | None = None


def read(doors: Access, known: Settings, mode: str, environment: str, version: str, now: datetime) -> Reading:
    """Facts about promoting (or rolling back) an app in an environment.

    `known` is what the work tree's settings say; policy is read again from the pins repository's default branch.
    """
    if not environment:
        raise Stop(
            "bad-input",
            "Input missing: environment.",
            f"A {'rollback' if mode == 'rollback' else 'promotion'} goes to one environment.",
            "Give `environment`; the settings name them.",
        )
    back = mode == "rollback"
    soil = ground.read(doors, known)
    doors = doors.limited(soil.settings)
    facts, tips = ground.facts(doors, soil, mode, environment, version)
    name = (branches.rollback if back else branches.promotion)(facts.app, environment)
    present = {f"refs/heads/{tip}" for tip in tips}
    gone = tuple(finding.message for finding in vanishing.vanished(doors.pins, facts.app, present))
    facts = msgspec.structs.replace(facts, branch=name, branch_head=tips.get(name, ""), vanished=gone)
    if back and not candidate.rollback_target(facts, now).version:
        facts = _further(doors, facts, now)
    elif not back and facts.policy_of(environment).promotion.strategy == "each":
        facts = _since_running(doors, facts)
    choice = candidate.rollback_target(facts, now) if back else candidate.choose(facts, now)
    standing = facts.standing(environment)
    if not choice.version and back:
        raise _nowhere(facts, choice.why)
    if choice.version in ("", standing.version):
        runs = f"{environment} runs {standing.version or 'an unknown version'}"
        why = " already" if choice.version else f": {choice.why}"
        return Reading(facts=_with_branch(doors, facts, {}, nothing=f"{runs}{why}."))
    if back:
        _earlier(choice.version, standing.version, environment)
    kind: Kind = "rollback" if back else "promote"
    subject, difference, facts = _change(doors, facts, soil.files, kind, choice.version)
    return Reading(facts=_with_branch(doors, facts, subject.files, subject=subject), difference=difference)


def complete(doors: Access, facts: Facts, release: Release, environment: str, kind: Kind) -> Facts:
    """Facts with the verdict on this release, even where it lies further back than the newest records.

    Whether there is one is asked by commit; then all records since are read, because soak asks what came after.
    Stop(unknown-state) where they are too many.
    """

    def judged(records: Sequence[Record]) -> bool:
        return any(r.sha == release.commit for r in evidence.about(records, release.version))

    for name in (environment,) if kind == "rollback" else facts.policy_of(environment).after:
        if judged(facts.records.get(name, ())):
            continue
        asked = (doors.app, facts.app, name, facts.accepted, judged)
        if judged(history.records(*asked, sha=release.commit)):
            facts = _with_records(facts, name, history.records(*asked))
    return facts


def _further(doors: Access, facts: Facts, now: datetime) -> Facts:
    """Facts with the records of this environment as far back as a release to go back to, if there is one."""
    name = facts.environment

    def found(records: Sequence[Record]) -> str:
        return candidate.rollback_target(_with_records(facts, name, records), now).version

    return _with_records(facts, name, history.records(doors.app, facts.app, name, facts.accepted, found))


def _since_running(doors: Access, facts: Facts) -> Facts:
    """Facts with all verdicts of the environments before since that on what runs: the oldest goes first."""
    running = facts.standing(facts.environment).version

    def reached(records: Sequence[Record]) -> bool:
        said = (record.evidence for record in evidence.deciding(records))
        return any(one and not candidate.is_newer(one.version, running) for one in said)

    for name in facts.policy_of(facts.environment).after if semver.Version.is_valid(running) else ():
        if not reached(facts.records.get(name, ())):
            found = history.records(doors.app, facts.app, name, facts.accepted, reached)
            facts = _with_records(facts, name, found)
    return facts


def _with_records(facts: Facts, environment: str, records: Sequence[Record]) -> Facts:
    return msgspec.structs.replace(facts, records={**facts.records, environment: tuple(records)})


def _change(
    doors: Access, facts: Facts, files: Mapping[str, bytes | None], kind: Kind, version: str
) -> tuple[Subject, Difference | None, Facts]:
    """The change of the environment to a version: release, edits, rendered difference, image digests."""
    environment = facts.environment
    release = releases.find(facts.settings, version, doors.app, doors.registry)
    facts = complete(doors, facts, release, environment, kind)
    changed, edits = standings.edited(
        facts.policy_of(environment), files, release, facts.settings, doors.pins.repository
    )
    subject = Subject(
        environment=environment,
        kind=kind,
        version=version,
        before=facts.standing(environment).version,
        release=release,
        edits=edits,
        files=changed,
    )
    before = Files(contents=files, at=facts.base_head)
    after = Files(contents={**files, **changed}, at=facts.base_head)
    subject, difference = sides.compared(doors, facts, subject, before, after)
    return subject, difference, facts


def _with_branch(
    doors: Access,
    facts: Facts,
    wanted: Mapping[str, bytes],
    *,
    subject: Subject | None = None,
    nothing: str = "",
) -> Facts:
    """Facts with what is open for this environment: the branch, its pull request, its labels."""
    direct = facts.policy_of(facts.environment).promotion.strategy == "direct"
    facts = msgspec.structs.replace(facts, subject=subject, nothing=nothing)
    if direct or not facts.branch_head:
        return facts
    seen = proposals.branch(
        doors.pins, facts.branch, facts.branch_head, facts.base_head, facts.app, facts.environment
    )
    found = proposals.proposal(doors.pins, seen, facts.base, wanted)
    if seen.foreign and found is None and proposals.is_merged(doors.pins, seen, facts.base):
        seen = msgspec.structs.replace(seen, foreign=())  # what others did there is in, nothing can be lost
    equal = found.equal if found else (not seen.foreign and proposals.is_equal(doors.pins, seen.head, wanted))
    if subject is not None and equal and not subject.rendered:
        subject = sides.remembered(subject, seen.risks)
    if subject is not None and seen.risks != set(subject.carried):
        equal = False  # what its commit says of itself must be what is known now
    if found is not None:
        found = msgspec.structs.replace(found, equal=equal)
    if subject is not None and found is not None and equal:
        place = (found.branch, doors.pins.repository)
        labels = labelled.standing(doors.pins, found.number, *place, found.head, found.labels)
        subject = msgspec.structs.replace(subject, labels=labels)
    return msgspec.structs.replace(
        facts, subject=subject, proposal=found, foreign=seen.foreign, branch_equal=equal
    )


def _nowhere(facts: Facts, why: str) -> Stop:
    return Stop(
        "no-evidence",
        f"There is nothing to roll {facts.environment} back to.",
        f"{why[:1].upper()}{why[1:]}.",
        "Name a `version` whose gate passed here, or record what ran here before with staging-gate `mode: adopt`.",
    )


def _earlier(version: str, running: str, environment: str) -> None:
    valid = semver.Version.is_valid(version) and semver.Version.is_valid(running)
    if valid and semver.Version.parse(version) > running:
        raise Stop(
            "bad-input",
            f"{version} is not earlier than {running}, which {environment} runs.",
            "A rollback goes back.",
            "Promote it instead.",
        )
