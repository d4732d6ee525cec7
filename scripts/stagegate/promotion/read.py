"""Reads what a promotion is judged by, in few calls, and edits in memory. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
import semver

from stagegate import versions
from stagegate.clients.connections import Connections
from stagegate.difference import Difference, render_both, set_releases
from stagegate.errors import Stop
from stagegate.evidence import history, releases
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.marks import deleted
from stagegate.model import Release
from stagegate.pins import pinned_version
from stagegate.pins.tree import PinsTree
from stagegate.policy import candidate
from stagegate.policy.facts import Approvals, Kind, PromotionFacts, Subject
from stagegate.promotion import app_state, certain, requirements, spelling
from stagegate.promotion.run import PromotionRun
from stagegate.proposal import carried, find, names
from stagegate.proposal import labels as labelled
from stagegate.settings import seconds


class PromotionReading(msgspec.Struct, frozen=True, kw_only=True):
    """Facts, and the rendered difference that only the text needs."""

    facts: PromotionFacts
    difference: Difference | None = None


def read(run: PromotionRun) -> PromotionReading:
    """Facts about promoting (or rolling back) an app in an environment, as the run requests it."""
    mode, environment, version, now = run.request.mode, run.request.environment, run.request.version, run.now
    if not environment:
        raise Stop(
            "bad-input",
            "Input missing: environment.",
            f"A {'rollback' if mode == 'rollback' else 'promotion'} goes to one environment.",
            "Set `environment` to one of the environments in the settings.",
        )
    back = mode == "rollback"
    state = app_state.read(run.connections, run.settings)
    connections = run.connections.limited(state.settings)
    facts, tips = app_state.facts(connections, state, mode, environment, version)
    name = (names.rollback if back else names.promotion)(facts.app, environment)
    present = {f"refs/heads/{tip}" for tip in tips}
    gone = tuple(finding.message for finding in deleted.vanished(connections.pins, facts.app, present))
    facts = msgspec.structs.replace(facts, branch=name, branch_head=tips.get(name, ""), vanished=gone)
    if back and not candidate.rollback_target(facts, now).version:
        facts = _further(connections, facts, now)
    elif not back and facts.policy_of(environment).promotion.strategy == "each":
        facts = _since_running(connections, facts)
    choice = candidate.rollback_target(facts, now) if back else candidate.choose(facts, now)
    standing = facts.standing(environment)
    if not choice.version and back:
        raise _nowhere(facts, choice.why)
    if choice.version in ("", standing.version):
        runs = f"{environment} runs {standing.version or 'an unknown version'}"
        why = " already" if choice.version else f": {choice.why}"
        return PromotionReading(facts=_with_branch(connections, facts, {}, nothing=f"{runs}{why}."))
    if back:
        _earlier(choice.version, standing.version, environment)
    kind: Kind = "rollback" if back else "promote"
    subject, difference, facts = _change(connections, facts, state.files, kind, choice.version)
    return PromotionReading(
        facts=_with_branch(connections, facts, subject.files, subject=subject), difference=difference
    )


def complete(
    connections: Connections, facts: PromotionFacts, release: Release, environment: str, kind: Kind
) -> PromotionFacts:
    """Facts with the verdict on this release, even where it lies further back than the newest records, and compared
    with its commit statuses.

    Whether there is one is asked by commit; then all records since are read, because soak asks what came after.
    Stop(unknown-state) where they are too many.
    """

    def judged(records: Sequence[Record]) -> bool:
        return any(r.sha == release.commit for r in evidence.about(records, release.version))

    for name in (environment,) if kind == "rollback" else facts.policy_of(environment).after:
        found = facts.records.get(name, ())
        query = (connections.app, facts.app, name, facts.accepted, judged)
        if not judged(found) and judged(history.records(*query, sha=release.commit)):
            found = history.records(*query)
        found = history.confirmed(connections.app, found, name, release, facts.accepted)
        facts = _with_records(facts, name, found)
    return facts


def _further(connections: Connections, facts: PromotionFacts, now: datetime) -> PromotionFacts:
    """Facts with the records of this environment as far back as a release to go back to, if there is one."""
    name = facts.environment

    def found(records: Sequence[Record]) -> str:
        return candidate.rollback_target(_with_records(facts, name, records), now).version

    return _with_records(
        facts, name, history.records(connections.app, facts.app, name, facts.accepted, found)
    )


def _since_running(connections: Connections, facts: PromotionFacts) -> PromotionFacts:
    """Facts with all verdicts of the environments before since that on what runs: the oldest goes first."""
    running = facts.standing(facts.environment).version

    def reached(records: Sequence[Record]) -> bool:
        newest = (record.evidence for record in evidence.deciding(records))
        return any(one and not candidate.comes_after(one.version, running) for one in newest)

    for name in facts.policy_of(facts.environment).after if semver.Version.is_valid(running) else ():
        if not reached(facts.records.get(name, ())):
            records = history.records(connections.app, facts.app, name, facts.accepted, reached)
            facts = _with_records(facts, name, records)
    return facts


def _with_records(facts: PromotionFacts, environment: str, records: Sequence[Record]) -> PromotionFacts:
    return msgspec.structs.replace(facts, records={**facts.records, environment: tuple(records)})


def _change(
    connections: Connections,
    facts: PromotionFacts,
    files: Mapping[str, bytes | None],
    kind: Kind,
    version: str,
) -> tuple[Subject, Difference | None, PromotionFacts]:
    """The change of the environment to a version: release, edits, rendered difference, image digests."""
    environment = facts.environment
    release = releases.reviewed(facts.settings, version, connections.app, connections.registry)
    facts = complete(connections, facts, release, environment, kind)
    changed, edits = pinned_version.edited(
        facts.policy_of(environment), files, release, facts.settings, connections.pins.repository
    )
    certain.edited(facts.settings, changed)
    policy, sides = facts.policy_of(environment), (files, {**files, **changed})
    subject = Subject(
        environment=environment,
        kind=kind,
        version=version,
        before=facts.standing(environment).version,
        release=release,
        pins_trouble=spelling.trouble(connections, policy, facts.settings, release, sides),
        edits=edits,
        files=changed,
    )
    if kind == "promote" and (places := facts.policy_of(environment).promotion.carry_approval):
        given = carried.carried(connections.pins, facts.app, version, facts.base, places, facts.accepted)
        subject = msgspec.structs.replace(subject, approvals=Approvals(carried=given))
    if kind == "promote":
        required = requirements.read(connections, policy, release)
        subject = msgspec.structs.replace(subject, requirements=required)
    before = PinsTree(contents=files, at=facts.base_head)
    after = PinsTree(contents={**files, **changed}, at=facts.base_head)
    both = render_both.sides(connections, facts, environment, before, after)
    named = pinned_version.standing(policy, sides[1], facts.settings)
    subject = msgspec.structs.replace(subject, pins_unknown=set_releases.unknown(both[1], named))
    subject, difference = render_both.compared(connections, facts, subject, both)
    return subject, difference, facts


def _with_branch(
    connections: Connections,
    facts: PromotionFacts,
    wanted: Mapping[str, bytes],
    *,
    subject: Subject | None = None,
    nothing: str = "",
) -> PromotionFacts:
    """Facts with what is open for this environment: the branch, its pull request, its labels."""
    direct = facts.policy_of(facts.environment).promotion.strategy == "direct"
    facts = msgspec.structs.replace(facts, subject=subject, nothing=nothing)
    if direct or not facts.branch_head:
        return facts
    place = (facts.branch, facts.branch_head, facts.base_head, facts.app, facts.environment)
    branch = find.branch(connections.pins, *place, facts.accepted)
    proposal = find.proposal(connections.pins, branch, facts.base, wanted)
    if proposal is not None and seconds(facts.policy_of(facts.environment).soak):
        pushed_at = find.pushed_at(connections.pins, proposal.branch, proposal.head)
        proposal = msgspec.structs.replace(proposal, pushed_at=pushed_at)
    if branch.foreign and proposal is None and find.is_merged(connections.pins, branch, facts.base):
        branch = msgspec.structs.replace(
            branch, foreign=()
        )  # what others did there is in, nothing can be lost
    equal = (
        proposal.equal
        if proposal
        else (not branch.foreign and find.is_equal(connections.pins, branch.head, wanted))
    )
    if subject is not None and equal and not subject.rendered:
        subject = render_both.remembered(subject, branch.risks)
    if subject is not None and branch.risks != set(subject.carried):
        equal = False  # what its commit says of itself must be what is known now
    if proposal is not None:
        proposal = msgspec.structs.replace(proposal, equal=equal)
    if subject is not None and proposal is not None and equal:
        pushed_to = (proposal.branch, connections.pins.repository, proposal.head)
        labels = labelled.standing(connections.pins, proposal.number, *pushed_to, proposal.labels)
        approvals = msgspec.structs.replace(subject.approvals, people=proposal.approvals)
        subject = msgspec.structs.replace(
            subject, labels=labels, approvals=approvals, proposed_at=proposal.pushed_at
        )
    return msgspec.structs.replace(
        facts, subject=subject, proposal=proposal, foreign=branch.foreign, branch_equal=equal
    )


def _nowhere(facts: PromotionFacts, why: str) -> Stop:
    return Stop(
        "no-evidence",
        f"There is no release to roll {facts.environment} back to.",
        f"{why[:1].upper()}{why[1:]}.",
        "Name a `version` whose gate passed here, or record what ran here before with staging-gate `mode: adopt`.",
    )


def _earlier(version: str, running: str, environment: str) -> None:
    if versions.is_newer(version, running):
        raise Stop(
            "bad-input",
            f"{version} is not earlier than {running}, which {environment} runs.",
            "A rollback goes to an earlier version.",
            "Use mode `promote` for a newer version.",
        )
