"""Reads everything a promotion is judged by, in few calls, and edits in memory. Nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import semver

from stagegate import settings as settings_file
from stagegate.clients import hub, releases
from stagegate.errors import Stop
from stagegate.gate import evidence
from stagegate.model import Release
from stagegate.promotion import access, branches, candidate, marks, proposals, sides, standings
from stagegate.promotion.access import Access
from stagegate.promotion.difference import Difference
from stagegate.promotion.situation import Facts, Kind, Placed, Standing, Subject
from stagegate.settings import Settings


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Facts, and the rendered difference that only the text needs."""

    facts: Facts
    difference: Difference | None = None


def read(doors: Access, known: Settings, mode: str, environment: str, version: str, now: datetime) -> Reading:
    """Facts about promoting (or rolling back) an app in an environment.

    `known` is what the work tree's settings say; policy is read again from the pins repository's default branch.
    """
    facts, files = ground(doors, known, mode, environment, version)
    kind: Kind = "rollback" if mode == "rollback" else "promote"
    choice = candidate.rollback_target(facts, now) if kind == "rollback" else candidate.choose(facts, now)
    standing = facts.standing(environment)
    if not choice.version:
        nothing = f"{environment} runs {standing.version or 'an unknown version'}: {choice.why}."
        return Reading(facts=_with_branch(doors, facts, {}, nothing=nothing))
    if choice.version == standing.version:
        nothing = f"{environment} runs {choice.version} already."
        return Reading(facts=_with_branch(doors, facts, {}, nothing=nothing))
    subject, difference, facts = judge_material(doors, facts, files, kind, environment, choice.version)
    return Reading(facts=_with_branch(doors, facts, subject.files, subject=subject), difference=difference)


def ground(
    doors: Access, known: Settings, mode: str, environment: str, version: str
) -> tuple[Facts, dict[str, bytes | None]]:
    """What every question about an app needs: policy, pins, marks, evidence, tags; and the pins' files."""
    base = doors.pins.default_branch()
    head = doors.pins.head(base)
    if head is None:
        raise Stop("unknown-state", f"{base} has no commit.", "It was deleted just now.", "Run it again.")
    settings, files, policy = _policy(doors, known, head)
    wanted = settings.environment(environment)
    tips = doors.pins.ref_files(marks.PREFIX, marks.FILE)
    trusted = access.accepted(doors, settings)
    relevant = (*wanted.after, environment)
    facts = Facts(
        app=settings.app,
        environment=environment,
        requested=version,
        mode=mode,
        pins_repository=doors.pins.repository,
        app_repository=doors.app.repository,
        base=base,
        base_head=head,
        policy=policy,
        settings=settings,
        trust=settings.trust.level,
        accepted=trusted,
        actions_token=doors.pins.is_actions_token(),
        standings=_standings(settings, files),
        tags=() if version or wanted.after else _tags(doors, settings),
        records={name: _records(doors, settings, name, trusted) for name in relevant},
        marks=_marks(tips),
        branch_head=_tip(tips, _branch_name(settings.app, environment, mode)),
        branch=_branch_name(settings.app, environment, mode),
    )
    return facts, files


def judge_material(
    doors: Access,
    facts: Facts,
    files: Mapping[str, bytes | None],
    kind: Kind,
    environment: str,
    version: str,
) -> tuple[Subject, Difference | None, Facts]:
    """One environment's change to a version: its release, edits, rendered difference and image digests."""
    settings = facts.settings
    release = releases.find(settings, version, doors.app, doors.registry)
    facts = _complete(doors, facts, release)
    changed, edits = standings.edited(
        settings.environment(environment), files, release, settings, doors.pins.repository
    )
    standing = facts.standing(environment)
    subject = Subject(
        environment=environment,
        kind=kind,
        version=version,
        before=standing.version,
        release=release,
        edits=edits,
        files=changed,
    )
    after = {**files, **changed}
    subject, difference = sides.compared(doors, facts, subject, files, after)
    return subject, difference, facts


def _policy(doors: Access, known: Settings, head: str) -> tuple[Settings, dict[str, bytes | None], str]:
    """Settings as the default branch has them, every pin's file, and the blob of the settings."""
    paths = dict.fromkeys((doors.config, *standings.pin_files(known)))
    blobs = doors.pins.files(head, tuple(paths))
    policy = blobs.get(doors.config)
    if policy is None:
        raise Stop(
            "missing-file",
            f"{doors.pins.repository} has no {doors.config} on its default branch.",
            "Policy (environments, order, who may) is only read from there.",
            "Merge the settings first, or name the right file with `config` or `policy`.",
        )
    settings = settings_file.parse(policy.content, doors.config)
    more = [path for path in standings.pin_files(settings) if path not in blobs]
    if more:
        blobs |= doors.pins.files(head, more)
    if not doors.one:
        settings = _with_artifacts(doors, settings, known)
    contents = {path: blob.content if blob else None for path, blob in blobs.items()}
    return settings, contents, policy.oid


def _with_artifacts(doors: Access, policy: Settings, known: Settings) -> Settings:
    """Policy with version and chart as the app repository has them, where the policy does not say."""
    if policy.chart != "none":
        return policy
    if known.policy:
        own = known
    else:
        found = doors.app.files(doors.app.default_branch(), ["stagegate.yaml"])["stagegate.yaml"]
        if found is None:
            return policy
        own = settings_file.parse(found.content, "stagegate.yaml")
    images = policy.images or own.images
    return msgspec.structs.replace(policy, version=own.version, chart=own.chart, images=images)


def _standings(settings: Settings, files: Mapping[str, bytes | None]) -> tuple[Standing, ...]:
    return tuple(standings.standing(environment, files, settings) for environment in settings.environments)


def _records(
    doors: Access, settings: Settings, name: str, trusted: tuple[object, ...]
) -> tuple[evidence.Record, ...]:
    found = doors.app.deployments(evidence.task(settings.app), environment=name)
    return evidence.records(found, settings.app, name, trusted)  # type: ignore[arg-type]


def _complete(doors: Access, facts: Facts, release: Release) -> Facts:
    """Evidence of this release that lies further back than the newest records."""
    after = facts.policy_of(facts.environment).after
    missing = [n for n in after if not any(r.sha == release.commit for r in facts.records.get(n, ()))]
    if not missing:
        return facts
    found = doors.app.deployments(evidence.task(facts.app), sha=release.commit, first=100)
    more = {
        name: (*facts.records.get(name, ()), *evidence.records(found, facts.app, name, facts.accepted))
        for name in missing
    }
    return msgspec.structs.replace(facts, records={**facts.records, **more})


def _tags(doors: Access, settings: Settings) -> tuple[str, ...]:
    prefix = f"refs/tags/{settings.version.tag_prefix}"
    names = (ref.removeprefix(prefix) for ref in doors.app.refs(prefix))
    return tuple(sorted(filter(semver.Version.is_valid, names), key=semver.Version.parse))


def _marks(tips: Mapping[str, hub.RefFile]) -> tuple[Placed, ...]:
    placed = ((marks.place(ref, file.oid, file.content), file.author) for ref, file in sorted(tips.items()))
    return tuple(msgspec.structs.replace(mark, author=author) for mark, author in placed if mark is not None)


def _branch_name(app: str, environment: str, mode: str) -> str:
    return branches.rollback(app, environment) if mode == "rollback" else branches.promotion(app, environment)


def _tip(tips: Mapping[str, hub.RefFile], branch: str) -> str:
    found = tips.get(f"refs/heads/{branch}")
    return found.oid if found else ""


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
    equal = found.equal if found else (not seen.foreign and proposals.is_equal(doors.pins, seen.head, wanted))
    if subject is not None and found is not None:
        subject = msgspec.structs.replace(subject, labels=found.labels)
    return msgspec.structs.replace(
        facts, subject=subject, proposal=found, foreign=seen.foreign, branch_equal=equal
    )
