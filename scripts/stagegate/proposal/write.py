"""Writes a decided promotion in small steps. Each can be repeated, and none overwrites unexpected content.

A StaleHead means that somebody else wrote first: the caller reads the facts again and decides again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.model import Change, Message, PullRequestText, branch_names, statuses, trailers
from stagegate.policy.commit_status import PinsStatus
from stagegate.policy.decide import Decision
from stagegate.policy.facts import PromotionFacts, Subject
from stagegate.proposal import branch, commit_record, hold, pull_request, verifying
from stagegate.runner.context import Context


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the writes: the reason, every change, the commit, the pull request.

    `not_started`: the pin moved, and why its verification was not started.
    """

    reason: str
    changes: tuple[Change, ...] = ()
    commit: str = ""
    number: int = 0
    url: str = ""
    notes: tuple[str, ...] = ()
    not_started: Message | None = None


def write(
    pins: hub.Hub,
    facts: PromotionFacts,
    decision: Decision,
    text: PullRequestText | None,
    *,
    context: Context,
    now: datetime,
    reason: str = "",
    verify_workflow: str = verifying.NOTHING,
) -> Applied:
    """Carry out a decision that writes. StaleHead when something moved since the facts were read."""
    subject = facts.subject
    if subject is None:
        raise AssertionError("a decision that writes has a subject")
    hold_changes: tuple[Change, ...] = ()
    if subject.kind == "rollback":
        hold_changes = hold.for_rollback(
            pins, facts, subject, context.person or pins.viewer().login, reason, now
        )
    people = context.person or pins.viewer().login
    record = commit_record.provenance(
        decision.rules, proposed_by=people, merged_by=people, policy=facts.policy
    )
    try:
        done = _written(pins, facts, decision, subject, text, record, context.run_id, verify_workflow)
    except Stop as stop:
        if not hold_changes or stop.reason == "stale-base":
            raise
        why = f"{stop.why} {subject.environment} already has the hold of the rollback, and the hold stays."
        with_hold = Stop(stop.reason, stop.what, why, stop.next, stop.file, stop.line)
        raise with_hold.after(
            (*hold_changes, *stop.written), **stop.outputs, environment=subject.environment
        ) from stop
    return msgspec.structs.replace(done, changes=(*hold_changes, *done.changes))


def _written(
    pins: hub.Hub,
    facts: PromotionFacts,
    decision: Decision,
    subject: Subject,
    text: PullRequestText | None,
    record: str,
    run: str,
    verify_workflow: str,
) -> Applied:
    if text is None:
        return commit(pins, facts, subject, record, run=run, verify_workflow=verify_workflow)
    return propose(pins, facts, decision, subject, text, run=run)


def commit(
    pins: hub.Hub, facts: PromotionFacts, subject: Subject, record: str, *, run: str, verify_workflow: str
) -> Applied:
    """Strategy `direct`: one commit on the default branch, then the dispatch that GITHUB_TOKEN makes necessary.

    `record` are the trailers that name who answers for it.
    """
    workflow = verifying.demand(pins, facts.base_head, verify_workflow)
    headline, body = branch.message(subject, facts.app, run)
    body = f"{body}\n{record}"
    try:
        sha = pins.create_commit(facts.base, facts.base_head, headline, body, dict(subject.files))
    except Stop as stop:
        if stop.reason != "protected-branch":
            raise
        cure = (
            "Promote with a GitHub App that is on the ruleset's bypass list (app-id, app-key), or set "
            "`strategy: latest` with `merge: stagegate` for this environment"
        )
        raise Stop(
            "protected-branch", stop.what, stop.why, f"{cure} (with `approvals: 0` at once)."
        ) from stop
    moved = Change(kind="commit", target=f"{pins.repository}@{facts.base}", before=facts.base_head, after=sha)
    changes = (*_edits(subject), moved)
    try:
        started = verifying.start(pins, facts.base, facts.base_head, workflow)
    except Stop as stop:
        message = Message(what=stop.what, why=stop.why, next=stop.next)
        return Applied(reason=stop.reason, changes=changes, commit=sha, not_started=message)
    return Applied(reason="committed", changes=(*changes, *started), commit=sha)


def resume(
    pins: hub.Hub, app: str, base: str, head: str, files: Iterable[str], context: Context, workflow: str
) -> tuple[Change, ...]:
    """What an earlier attempt of this run was killed before: the dispatch after its commit or merge.

    That is the last commit of `base`, or of a pin's file where others came after it.
    """
    if context.run_attempt < 2 or not context.run_id:
        return ()
    for path in (None, *files):
        last = next(iter(pins.history(head, first=1, path=path)), None)
        named = last.trailers if last else {}
        if (named.get(trailers.APP), named.get(trailers.RUN)) == (app, context.run_id):
            return verifying.start(pins, base, head, workflow)
    return ()


def propose(
    pins: hub.Hub,
    facts: PromotionFacts,
    decision: Decision,
    subject: Subject,
    text: PullRequestText,
    *,
    run: str,
) -> Applied:
    """One open pull request with exactly this change: opened, replaced or found equal; then its status."""
    existing = facts.proposal
    changes: list[Change] = []
    notes: list[str] = []
    head, number, address = (
        facts.branch_head,
        existing.number if existing else 0,
        existing.url if existing else "",
    )
    try:
        if not facts.branch_equal:
            head = _branch(pins, facts, subject, run, changes)
        number, address, opened = pull_request.open_or_update(pins, facts, text)
        changes += opened
        if opened:
            notes += pull_request.about_author(pins, facts)
        # The status first: a label or reviewer that GitHub refuses must not leave a proposal without it.
        changes += status(pins, head, decision.verdict, address, is_new=not facts.branch_equal)
        changes += pull_request.add_labels(pins, number, text.labels, existing.labels if existing else ())
        if existing is None:
            notes += pull_request.request_reviews(pins, number, text.reviewers)
    except Stop as stop:
        shown = {"commit": head, "pr-number": str(number or ""), "pr-url": address}
        raise stop.after(changes, **shown, version=subject.version, environment=subject.environment) from None
    if not changes:
        return Applied(reason="already-proposed", commit=head, number=number, url=address)
    reason = "proposed" if existing is None else "updated"
    return Applied(
        reason=reason, changes=tuple(changes), commit=head, number=number, url=address, notes=tuple(notes)
    )


def _branch(pins: hub.Hub, facts: PromotionFacts, subject: Subject, run: str, changes: list[Change]) -> str:
    """The head of the branch with exactly this change; what is written is added to `changes`."""
    if facts.proposal is not None:
        changes += branch.withdraw(pins, facts.proposal, subject)
    head = branch.replace(pins, facts, subject, run)
    moved = Change(kind="branch", target=facts.branch, before=facts.branch_head, after=head)
    changes += [*_edits(subject), moved]
    return head


def status(
    pins: hub.Hub, head: str, verdict: PinsStatus, url: str, *, is_new: bool = False
) -> tuple[Change, ...]:
    """The status `stagegate/pins` on a head, written only when it changes.

    `url` must be the same in every run (the pull request's): a new one would be a new status each time. `is_new`:
    this run made the head, so that nobody wrote a status yet.
    """
    if is_new:
        pins.set_first_status(head, statuses.PINS, verdict.state, verdict.description, url)
    elif not pins.set_status(head, statuses.PINS, verdict.state, verdict.description, url):
        return ()
    return (Change(kind="status", target=f"{statuses.PINS} on {head[:12]}", after=verdict.state),)


def _edits(subject: Subject) -> tuple[Change, ...]:
    return tuple(
        Change(
            kind="pin", target=f"{edit.file}:{edit.line} {edit.path}", before=edit.before, after=edit.after
        )
        for edit in subject.edits
    )


def intended(facts: PromotionFacts, decision: Decision) -> tuple[Change, ...]:
    """The planned writes, for a dry run."""
    if not decision.write or facts.subject is None:
        return ()
    target = f"{facts.pins_repository}@{facts.base if decision.write == 'commit' else facts.branch}"
    listed = (*_edits(facts.subject), Change(kind=decision.write, target=target, after=facts.subject.version))
    if facts.subject.kind == "rollback":
        hold = branch_names.hold(facts.app, facts.environment)
        listed = (Change(kind="mark", target=hold, after="rollback"), *listed)
    return tuple(msgspec.structs.replace(change, done=False) for change in listed)
