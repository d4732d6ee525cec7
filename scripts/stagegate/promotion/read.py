"""Reads what a promotion is judged by, in few calls, and edits in memory. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stagegate import versions
from stagegate.clients.connections import Connections
from stagegate.difference import Difference, render_both, set_releases
from stagegate.errors import Stop
from stagegate.evidence import releases
from stagegate.marks import authentic, deleted, marks
from stagegate.model import Release, branch_names
from stagegate.pins import pinned_version
from stagegate.pins.tree import PinsTree
from stagegate.policy import candidate
from stagegate.policy.facts import Approvals, Kind, PromotionFacts, Proposal, Subject
from stagegate.promotion import app_state, gate_verdicts, requirements, spelling, unambiguous
from stagegate.promotion.app_state import AppState
from stagegate.promotion.run import PromotionRun
from stagegate.proposal import carried_approvals, find
from stagegate.proposal import labels as labelled
from stagegate.settings import seconds


class PromotionReading(msgspec.Struct, frozen=True, kw_only=True):
    """Facts, and the rendered difference that only the text needs."""

    facts: PromotionFacts
    difference: Difference | None = None


def read(run: PromotionRun) -> PromotionReading:
    """Facts about promoting (or rolling back) an app in an environment, as the run requests it.

    `draft` is what is known so far: the facts are put together once, at the end.
    """
    environment, now = _environment(run), run.now
    back = run.request.mode == "rollback"
    state = app_state.read(run.connections, run.settings)
    connections = run.connections.limited(state.settings)
    draft = _draft(connections, run, state, environment)
    records = gate_verdicts.to_choose(connections, draft, now, back=back)
    draft = msgspec.structs.replace(draft, records=records)
    choice = candidate.rollback_target(draft, now) if back else candidate.choose(draft, now)
    running = draft.standing(environment).version
    if not choice.version and back:
        raise _nowhere(draft, choice.why)
    if choice.version in ("", running):
        why = " already" if choice.version else f": {choice.why}"
        facts = msgspec.structs.replace(
            draft, nothing=f"{environment} runs {running or 'an unknown version'}{why}."
        )
        return PromotionReading(facts=_with_proposal(connections, facts, None))
    if back:
        _earlier(choice.version, running, environment)
    kind: Kind = "rollback" if back else "promote"
    release = releases.reviewed(draft.settings, choice.version, connections.app, connections.registry)
    records = gate_verdicts.on_release(connections, draft, release, environment, kind)
    draft = msgspec.structs.replace(draft, records=records)
    subject, difference = _change(connections, draft, state.files, kind, release)
    return PromotionReading(facts=_with_proposal(connections, draft, subject), difference=difference)


def _environment(run: PromotionRun) -> str:
    """The environment that the run requests. Stop(bad-input) without one."""
    if run.request.environment:
        return run.request.environment
    raise Stop(
        "bad-input",
        "Input missing: environment.",
        f"A {'rollback' if run.request.mode == 'rollback' else 'promotion'} needs exactly one environment.",
        "Set `environment` to one of the environments in the settings.",
    )


def _draft(connections: Connections, run: PromotionRun, state: AppState, environment: str) -> PromotionFacts:
    """What is known before a release is chosen: pins, newest records, marks and the tip of our branch."""
    mode, version = run.request.mode, run.request.version
    present_marks = connections.pins.ref_files(marks.PREFIX, marks.FILE)
    authentic.read_ahead(connections.pins, present_marks, state.settings.app)
    draft, tips = app_state.facts(connections, state, mode, environment, version)
    branch = (branch_names.rollback if mode == "rollback" else branch_names.promotion)(draft.app, environment)
    present = {f"refs/heads/{tip}" for tip in tips}
    vanished = tuple(finding.message for finding in deleted.vanished(connections.pins, draft.app, present))
    return msgspec.structs.replace(draft, branch=branch, branch_head=tips.get(branch, ""), vanished=vanished)


def _change(
    connections: Connections,
    draft: PromotionFacts,
    files: Mapping[str, bytes | None],
    kind: Kind,
    release: Release,
) -> tuple[Subject, Difference | None]:
    """The change of the environment to a release: edits, rendered difference, image digests."""
    environment, version = draft.environment, release.version
    changed, edits = pinned_version.edited(
        draft.policy_of(environment), files, release, draft.settings, connections.pins.repository
    )
    unambiguous.edited(draft.settings, changed)
    policy, sides = draft.policy_of(environment), (files, {**files, **changed})
    subject = Subject(
        environment=environment,
        kind=kind,
        version=version,
        before=draft.standing(environment).version,
        release=release,
        pins_trouble=spelling.trouble(connections, policy, draft.settings, release, sides),
        edits=edits,
        files=changed,
    )
    if kind == "promote" and (places := draft.policy_of(environment).promotion.carry_approval):
        earlier_approvals = carried_approvals.carried(
            connections.pins, draft.app, version, draft.base, places, draft.accepted
        )
        subject = msgspec.structs.replace(subject, approvals=Approvals(carried=earlier_approvals))
    if kind == "promote":
        required = requirements.read(connections, policy, release)
        subject = msgspec.structs.replace(subject, requirements=required)
    before = PinsTree(contents=files, at=draft.base_head)
    after = PinsTree(contents={**files, **changed}, at=draft.base_head)
    both = render_both.sides(connections, draft, environment, before, after)
    named = pinned_version.standing(policy, sides[1], draft.settings)
    subject = msgspec.structs.replace(subject, pins_unknown=set_releases.unknown(both[1], named))
    return render_both.compared(connections, draft, subject, both)


def _with_proposal(
    connections: Connections, draft: PromotionFacts, subject: Subject | None
) -> PromotionFacts:
    """The facts: the draft with the change and what is open for it, its branch, pull request and labels."""
    direct = draft.policy_of(draft.environment).promotion.strategy == "direct"
    if direct or not draft.branch_head:
        return msgspec.structs.replace(draft, subject=subject)
    pins, wanted = connections.pins, subject.files if subject else {}
    place = (draft.branch, draft.branch_head, draft.base_head, draft.app, draft.environment)
    branch = find.branch(pins, *place, draft.accepted)
    proposal = find.proposal(pins, branch, draft.base, wanted)
    if proposal is not None and seconds(draft.policy_of(draft.environment).soak):
        pushed_at = find.pushed_at(pins, proposal.branch, proposal.head)
        proposal = msgspec.structs.replace(proposal, pushed_at=pushed_at)
    # What others committed to a branch that was merged is in the base: nothing of theirs can be lost.
    merged = bool(branch.foreign) and proposal is None and find.is_merged(pins, branch, draft.base)
    foreign = () if merged else branch.foreign
    equal = proposal.equal if proposal else not foreign and find.is_equal(pins, branch.head, wanted)
    if subject is not None and equal and not subject.rendered:
        subject = render_both.remembered(subject, branch.risks)
    if subject is not None and branch.risks != set(subject.carried):
        equal = False  # the risks that its commit names must be those of now
    if proposal is not None:
        proposal = msgspec.structs.replace(proposal, equal=equal)
    if subject is not None and proposal is not None and equal:
        subject = _standing(connections, subject, proposal)
    return msgspec.structs.replace(
        draft, subject=subject, proposal=proposal, foreign=foreign, branch_equal=equal
    )


def _standing(connections: Connections, subject: Subject, proposal: Proposal) -> Subject:
    """The change with the labels and approvals that its open pull request has."""
    pushed_to = (proposal.branch, connections.pins.repository, proposal.head)
    return msgspec.structs.replace(
        subject,
        labels=labelled.standing(connections.pins, proposal.number, *pushed_to, proposal.labels),
        approvals=msgspec.structs.replace(subject.approvals, people=proposal.approvals),
        proposed_at=proposal.pushed_at,
    )


def _nowhere(facts: PromotionFacts, why: str) -> Stop:
    return Stop(
        "no-evidence",
        f"There is no release to roll {facts.environment} back to.",
        f"{why[:1].upper()}{why[1:]}.",
        "Set `version` to a release whose gate passed in this environment, or record a release "
        "that ran here earlier with staging-gate and `mode: adopt`.",
    )


def _earlier(version: str, running: str, environment: str) -> None:
    if versions.is_newer(version, running):
        raise Stop(
            "bad-input",
            f"{version} is not earlier than {running}, which {environment} runs.",
            "A rollback goes to an earlier version.",
            "To go to a newer version, use the mode `promote`.",
        )
