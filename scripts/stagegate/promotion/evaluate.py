"""May this merge? Judges what a change of the pins repository does to every environment, whoever wrote it.

Used for our own open promotions, for any pull request (pin-guard) and for merge groups. Only blobs at merge base
and head count, never a list of files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

import msgspec

from stagegate.clients import hub, releases
from stagegate.errors import Stop
from stagegate.model import RuleResult
from stagegate.promotion import branches, ground, labelled, marks, plan, rules, sides, standings, watched
from stagegate.promotion import facts as promotion_facts
from stagegate.promotion.access import Access
from stagegate.promotion.difference import Difference
from stagegate.promotion.ground import Files, Ground
from stagegate.promotion.plan import Verdict
from stagegate.promotion.situation import Facts, Kind, Standing, Subject
from stagegate.promotion.watched import Changed
from stagegate.settings import Settings


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One environment's change with every rule's result."""

    facts: Facts
    subject: Subject
    rules: tuple[RuleResult, ...]
    difference: Difference | None = None


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a head: of the worst environment, success where none is touched."""

    head: str
    verdict: Verdict
    environments: tuple[Judged, ...] = ()


def pull(doors: Access, soil: Ground, of: hub.Pull, now: datetime) -> Judgement:
    """The verdict on a pull request's head, judged from where it left the base."""
    compared = doors.pins.compare(soil.head, of.head_sha)
    labels = labelled.counted(doors.pins, of)
    return change(doors, soil, compared.merge_base, of.head_sha, labels, now, commits=compared.commits)


def change(
    doors: Access,
    soil: Ground,
    before: str,
    after: str,
    labels: tuple[str, ...],
    now: datetime,
    *,
    commits: Iterable[hub.Commit] = (),
    queued: bool = False,
) -> Judgement:
    """The verdict on going from one commit of the pins repository to another.

    `commits` may say of themselves what was seen when they were made: that adds risks and never takes one away.
    `queued`: what runs when this merges is what `before` says (a merge group), not the default branch of now.
    """
    settings = soil.settings
    doors = replace(doors, clone=None)  # a kustomization may fetch from anywhere: not from somebody's branch
    paths = standings.pin_files(settings)
    old, new = _sides(doors, before, after, paths)
    seen = {
        one.name: watched.changed(doors.pins, soil.base, settings, one.name, old, new)
        for one in settings.environments
    }
    touched = [name for name, changed in seen.items() if changed.any]
    if not touched:
        return Judgement(head=after, verdict=Verdict(state="success", description="no pin or value changes"))
    facts, _ = ground.facts(doors, soil, "evaluate", touched[0], "", touched[1:])
    if queued:
        facts = msgspec.structs.replace(facts, standings=_standings(facts, old))
    told = {name: branches.risks(commits, settings.app, name) for name in touched}
    judged = tuple(
        _judge(doors, facts, name, old, new, seen[name], told[name], labels, now) for name in touched
    )
    return Judgement(head=after, verdict=worst(judged), environments=judged)


def worst(judged: tuple[Judged, ...]) -> Verdict:
    """One verdict for all environments: every rule counts, named with its environment where there are several."""
    several = len(judged) > 1
    results = [
        msgspec.structs.replace(result, detail=f"{one.subject.environment}: {result.detail}")
        if several and not rules.is_overridden(result)
        else result
        for one in judged
        for result in one.rules
    ]
    return plan.verdict(results)


def _judge(
    doors: Access,
    facts: Facts,
    environment: str,
    old: Files,
    new: Files,
    seen: Changed,
    told: Collection[str],
    labels: tuple[str, ...],
    now: datetime,
) -> Judged:
    facts = msgspec.structs.replace(facts, environment=environment)
    policy = facts.policy_of(environment)
    was = standings.resolved(standings.standing(policy, old.contents, facts.settings), facts.records)
    then = standings.resolved(standings.standing(policy, new.contents, facts.settings), facts.records)
    moved = _named(was) != _named(then) or bool(then.trouble and not was.trouble)
    back = then.version and marks.rollback_to(facts, environment, now) == then.version
    kind: Kind = "configure" if not moved else "rollback" if back else "promote"
    subject = Subject(
        environment=environment,
        kind=kind,
        version=then.version,
        before=facts.standing(environment).version,
        pins_trouble=then.trouble,
        labels=labels,
    )
    if moved and then.version:
        subject, facts = _with_release(doors, facts, subject, then)
    subject, difference = sides.compared(doors, facts, subject, old, new, seen)
    subject = subject if subject.rendered else sides.remembered(subject, told)
    if kind == "configure" and then.version and _brings_image(difference, facts.settings):
        subject, facts = _with_release(doors, facts, msgspec.structs.replace(subject, kind="promote"), then)
    facts = msgspec.structs.replace(facts, subject=subject)
    return Judged(facts=facts, subject=subject, rules=rules.judge(subject, facts, now), difference=difference)


def _named(standing: Standing) -> tuple[object, ...]:
    return standing.version, standing.commit, dict(standing.digests)


def _standings(facts: Facts, files: Files) -> tuple[Standing, ...]:
    """What every environment runs by the pins of one commit."""
    return tuple(
        standings.resolved(standings.standing(one, files.contents, facts.settings), facts.records)
        for one in facts.settings.environments
    )


def _brings_image(difference: Difference | None, settings: Settings) -> bool:
    """Whether a first-party image runs by a tag or digest it did not run by: another version, whoever names it."""
    changes = difference.images if difference else ()
    return any(one.repository in settings.images and set(one.after) - set(one.before) for one in changes)


def _with_release(doors: Access, facts: Facts, subject: Subject, then: Standing) -> tuple[Subject, Facts]:
    """The subject with its release; that there is none is an answer, that it cannot be read is not."""
    try:
        release = releases.find(facts.settings, subject.version, doors.app, doors.registry)
    except Stop as stop:
        said = f"{stop.what} {stop.why}"
        if stop.reason in ("bad-input", "missing-file", "content-differs"):
            return msgspec.structs.replace(subject, release_absent=said), facts
        return msgspec.structs.replace(subject, release_trouble=said), facts
    facts = promotion_facts.complete(doors, facts, release, subject.environment, subject.kind)
    trouble = subject.pins_trouble or standings.astray(then, release, facts.app)
    return msgspec.structs.replace(subject, release=release, pins_trouble=trouble), facts


def _sides(doors: Access, before: str, after: str, paths: tuple[str, ...]) -> tuple[Files, Files]:
    return _at(doors, before, paths), _at(doors, after, paths)


def _at(doors: Access, sha: str, paths: tuple[str, ...]) -> Files:
    found = doors.pins.files(sha, paths) if paths else {}
    return Files(contents={path: blob.content if blob else None for path, blob in found.items()}, at=sha)
