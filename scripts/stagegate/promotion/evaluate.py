"""Judges the effect of a change of the pins repository on every environment, for any author.

Used for our own open promotions, for any pull request (pin-guard) and for merge groups. Only blobs at merge base
and head count, never a list of files.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.clients.connections import Connections
from stagegate.difference import Difference, render_both, set_releases, watched
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.evidence import releases
from stagegate.marks import marks
from stagegate.model import RuleResult, branch_names, statuses
from stagegate.pins import pinned_version
from stagegate.pins.changes import Changed
from stagegate.pins.pinned_version import PinnedVersion
from stagegate.pins.tree import PinsTree
from stagegate.policy import commit_status, rules
from stagegate.policy.commit_status import PinsStatus
from stagegate.policy.facts import Approvals, Kind, PromotionFacts, Subject
from stagegate.policy.rules import approvals as approval_rule
from stagegate.policy.rules import soak
from stagegate.promotion import app_state, gate_verdicts, requirements, spelling, unambiguous
from stagegate.promotion.app_state import AppState
from stagegate.proposal import approvals, carried_approvals, commit_record, find
from stagegate.settings import Settings


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One environment's change with every rule's result."""

    facts: PromotionFacts
    subject: Subject
    rules: tuple[RuleResult, ...]
    difference: Difference | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a head: of the worst environment, success where none is touched.

    `conflicts`: GitHub cannot merge it into the base as it is now.
    """

    head: str
    verdict: PinsStatus
    environments: tuple[Judged, ...] = ()
    conflicts: bool = False


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The pull request that a change comes from: its commits and files, and the labels that count."""

    pull: hub.Pull
    compared: hub.Comparison
    labels: tuple[str, ...] = ()


def change(
    connections: Connections,
    state: AppState,
    before: str,
    after: str,
    origin: Origin | None,
    now: datetime,
    *,
    queued: bool = False,
) -> Judgement:
    """The verdict on going from one commit of the pins repository to another.

    The commits of `origin` may name risks that were seen when they were made: that adds risks and never removes
    one. Without `origin` there are no labels and no approvals.
    `queued`: what runs when this merges is what `before` says (a merge group), not the default branch of now.
    """
    settings = state.settings
    paths = pinned_version.pin_files(settings)
    paths = (*paths, *pinned_version.charts_beside(paths, settings))
    old, new = _sides(connections, before, after, paths)
    unambiguous.one_reading(connections.pins, settings, old, new)
    both = {
        one.name: (
            Side(connections, settings, state.base, one, old),
            Side(connections, settings, state.base, one, new),
        )
        for one in settings.environments
    }
    changes = {name: watched.changed(*pair) for name, pair in both.items()}
    for name, changed in changes.items():
        unambiguous.plain_values(changed, both[name][1])
    touched = [
        name
        for name, changed in changes.items()
        if changed.any or _is_merged_by_stagegate(connections, settings, name, origin)
    ]
    if not touched:
        return Judgement(
            head=after, verdict=PinsStatus(state="success", description=statuses.NOTHING_CHANGES)
        )
    shared, _ = app_state.facts(connections, state, "evaluate", touched[0], "", touched[1:])
    if queued:
        shared = msgspec.structs.replace(shared, standings=_standings(shared, old))
    reviews = _reviews(connections, settings, touched, origin)
    judged = tuple(
        _judge(connections, shared, name, both[name], changes[name], origin, reviews, now) for name in touched
    )
    return Judgement(head=after, verdict=worst(judged), environments=judged)


def worst(judged: tuple[Judged, ...]) -> PinsStatus:
    """One verdict for all environments: every rule counts, named with its environment where there are several."""
    several = len(judged) > 1
    results = [
        msgspec.structs.replace(result, detail=f"{one.subject.environment}: {result.detail}")
        if several
        else result
        for one in judged
        for result in one.rules
    ]
    return commit_status.of(results)


def _judge(
    connections: Connections,
    shared: PromotionFacts,
    environment: str,
    both: tuple[Side, Side],
    changed: Changed,
    origin: Origin | None,
    reviews: tuple[hub.Review, ...],
    now: datetime,
) -> Judged:
    commits = origin.compared.commits if origin else ()
    draft = msgspec.structs.replace(shared, environment=environment)
    policy = draft.policy_of(environment)
    old, new = (side.files for side in both)
    was = pinned_version.resolved(
        pinned_version.standing(policy, old.contents, draft.settings), draft.records
    )
    then = pinned_version.resolved(
        pinned_version.standing(policy, new.contents, draft.settings), draft.records
    )
    spelled = [spelling.of(policy, side.contents, draft.settings) for side in (old, new)]
    moved = (
        _named(was) != _named(then)
        or bool(then.trouble and not was.trouble)
        or bool(spelled[0] and spelled[1] - spelled[0])
    )
    back = then.version and marks.rollback_to(draft, environment, now) == then.version
    kind: Kind = "configure" if not moved else "rollback" if back else "promote"
    subject = Subject(
        environment=environment,
        kind=kind,
        version=then.version,
        before=draft.standing(environment).version,
        pins_trouble=then.trouble,
        pins_unknown=set_releases.unknown(both[1], then),
        labels=origin.labels if origin else (),
        approvals=_approvals(connections, draft, origin, reviews),
    )
    if moved and then.version:
        subject, draft = _with_release(connections, draft, subject, then, (old, new))
    subject, difference = render_both.compared(connections, draft, subject, both, changed)
    subject = (
        subject
        if subject.rendered
        else render_both.remembered(subject, commit_record.risks(commits, draft.app, environment))
    )
    if kind == "configure" and then.version and _brings_image(difference, draft.settings):
        subject, draft = _with_release(
            connections, draft, msgspec.structs.replace(subject, kind="promote"), then, (old, new)
        )
    if subject.kind == "promote" and origin is not None and soak.is_cut_short(subject, draft):
        subject = _since(connections, draft, subject, origin.pull)
    places = draft.policy_of(environment).promotion.carry_approval
    if subject.kind == "promote" and places and approval_rule.check(subject, draft, now).state == "wait":
        earlier_approvals = carried_approvals.carried(
            connections.pins, draft.app, subject.version, draft.base, places, draft.accepted
        )
        approved = msgspec.structs.replace(subject.approvals, carried=earlier_approvals)
        subject = msgspec.structs.replace(subject, approvals=approved)
    facts = msgspec.structs.replace(draft, subject=subject)
    return Judged(facts=facts, subject=subject, rules=rules.judge(subject, facts, now), difference=difference)


def _reviews(
    connections: Connections, settings: Settings, environments: Iterable[str], origin: Origin | None
) -> tuple[hub.Review, ...]:
    """The valid approvals of the pull request; read only where a rule looks at them."""
    needed = rules.need_reviews(settings.environment(name) for name in environments)
    return approvals.valid(connections.pins.reviews(origin.pull.number)) if origin and needed else ()


def _approvals(
    connections: Connections, facts: PromotionFacts, origin: Origin | None, reviews: tuple[hub.Review, ...]
) -> Approvals:
    if origin is None:
        return Approvals()
    environment = facts.policy_of(facts.environment)
    files = pinned_version.files_of(environment)
    pins, compared = connections.pins, origin.compared
    return approvals.given(
        pins, origin.pull, reviews, compared, facts.app, environment, files, facts.accepted
    )


def _is_merged_by_stagegate(
    connections: Connections, settings: Settings, name: str, origin: Origin | None
) -> bool:
    """Whether stagegate merges this pull request: then it is judged even where it changes no pin and no value."""
    if origin is None:
        return False
    environment = settings.environment(name)
    return approvals.is_merged_by_stagegate(connections.pins, origin.pull, settings.app, environment)


def _since(connections: Connections, facts: PromotionFacts, subject: Subject, pull: hub.Pull) -> Subject:
    """The change with the time since which our own proposal of it is open: its soak may go on from there."""
    ours = (connections.pins.repository, branch_names.promotion(facts.app, subject.environment))
    if (pull.head_repository, pull.head_ref) != ours:
        return subject
    proposed_at = find.pushed_at(connections.pins, pull.head_ref, pull.head_sha)
    return msgspec.structs.replace(subject, proposed_at=proposed_at)


def _named(standing: PinnedVersion) -> tuple[object, ...]:
    return standing.version, standing.commit, dict(standing.digests)


def _standings(facts: PromotionFacts, files: PinsTree) -> tuple[PinnedVersion, ...]:
    """What every environment runs by the pins of one commit."""
    return tuple(
        pinned_version.resolved(pinned_version.standing(one, files.contents, facts.settings), facts.records)
        for one in facts.settings.environments
    )


def _brings_image(difference: Difference | None, settings: Settings) -> bool:
    """Whether a first-party image runs by a tag or digest it did not run by: another version, whoever names it."""
    changes = difference.images if difference else ()
    return any(one.repository in settings.images and set(one.after) - set(one.before) for one in changes)


def _with_release(
    connections: Connections,
    draft: PromotionFacts,
    subject: Subject,
    then: PinnedVersion,
    sides: tuple[PinsTree, PinsTree],
) -> tuple[Subject, PromotionFacts]:
    """The subject with its release; release_absent if there is none, release_trouble if unreadable."""
    try:
        release = releases.reviewed(draft.settings, subject.version, connections.app, connections.registry)
        policy, files = draft.policy_of(subject.environment), (sides[0].contents, sides[1].contents)
        other = spelling.trouble(connections, policy, draft.settings, release, files)
    except Stop as stop:
        why = f"{stop.what} {stop.why}".strip().rstrip(".")  # a sentence goes on around it
        if stop.reason in ("bad-input", "missing-file", "content-differs", "not-authorised"):
            return msgspec.structs.replace(subject, release_absent=why), draft
        return msgspec.structs.replace(subject, release_trouble=why), draft
    records = gate_verdicts.on_release(connections, draft, release, subject.environment, subject.kind)
    trouble = subject.pins_trouble or pinned_version.astray(then, release, draft.app) or other
    required = requirements.read(connections, policy, release) if subject.kind == "promote" else ()
    subject = msgspec.structs.replace(subject, release=release, pins_trouble=trouble, requirements=required)
    return subject, msgspec.structs.replace(draft, records=records)


def _sides(
    connections: Connections, before: str, after: str, paths: tuple[str, ...]
) -> tuple[PinsTree, PinsTree]:
    if paths:
        connections.pins.entries(after)  # what both have alike is read once, and modes need no request
    return _at(connections, before, paths), _at(connections, after, paths)


def _at(connections: Connections, sha: str, paths: tuple[str, ...]) -> PinsTree:
    blobs = connections.pins.files(sha, paths) if paths else {}
    return PinsTree(contents={path: blob.content if blob else None for path, blob in blobs.items()}, at=sha)
