"""The releases of an app with what each brought, its road, and where its time went. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stagegate.clients.hub import LogEntry, ReleaseTag
from stagegate.model import trailers
from stagegate.promotion.status import road
from stagegate.promotion.status.facts import StatusFacts
from stagegate.proposal.change_roads import reached
from stagegate.report.status import ReleaseCommit, ReleaseStatus
from stagegate.versions import Version

LISTED = 50  # commits of one release


def is_release(tag: str, prefix: str) -> bool:
    """Whether a tag names a version of this app."""
    return tag.startswith(prefix) and Version.is_valid(tag.removeprefix(prefix))


def releases(facts: StatusFacts) -> tuple[ReleaseStatus, ...]:
    """The newest releases, newest first."""
    brought = _brought(facts)
    return tuple(_release(facts, tag, brought.get(tag.name, ())) for tag in facts.tags)


def unreleased(facts: StatusFacts) -> tuple[tuple[ReleaseCommit, ...], tuple[int, ...]]:
    """The commits of the default branch that no known release contains, and their pull requests."""
    log = {entry.sha: entry for entry in facts.log}
    inside = reached(log, (tag.commit for tag in facts.tags))
    outside = [entry for entry in facts.log if entry.sha not in inside] if facts.tags else []
    changes = _changes(facts, outside)
    return _commits(changes), _pulls(changes)


def _changes(facts: StatusFacts, entries: Iterable[LogEntry]) -> list[LogEntry]:
    """Entries without what moved pins: a promotion is no change of the app."""
    moves = {c.sha for commits in facts.moves.values() for c in commits if trailers.APP in c.trailers}
    promotions = {pull.number for pull in facts.pulls}
    return [e for e in entries if e.sha not in moves and not (e.pulls and promotions.issuperset(e.pulls))]


def _release(facts: StatusFacts, tag: ReleaseTag, brought: Sequence[LogEntry]) -> ReleaseStatus:
    version = tag.name.removeprefix(facts.tag_prefix)
    changes = _changes(facts, [entry for entry in brought if entry.sha != tag.commit]) or list(brought)
    steps = road.steps(facts, tag, version, changes)
    return ReleaseStatus(
        version=version,
        commit=tag.commit,
        url=f"{facts.app_url}/releases/tag/{tag.name}",
        commits=_commits(changes),
        pulls=_pulls(_changes(facts, brought)),
        steps=steps,
        phases=road.phases(facts, tag, steps),
    )


def _brought(facts: StatusFacts) -> Mapping[str, list[LogEntry]]:
    """What each release brought: the commits it contains and no earlier one does.

    Where older releases exist that were not read, the oldest one known would seem to bring all before it: it gets
    only its own commit.
    """
    log = {entry.sha: entry for entry in facts.log}
    order = {entry.sha: number for number, entry in enumerate(facts.log)}
    tags = sorted((tag for tag in facts.tags if tag.commit in log), key=lambda tag: -order[tag.commit])
    listed: set[str] = set()
    brought: dict[str, list[LogEntry]] = {}
    is_cut = (
        len(facts.tags) < facts.tags_read
        or facts.tags_read >= 30
        or not any(not e.parents for e in facts.log)
    )
    for number, tag in enumerate(tags):
        inside = reached(log, [tag.commit], listed)
        own = [entry for entry in facts.log if entry.sha in inside]
        brought[tag.name] = [log[tag.commit]] if number == 0 and is_cut else own
        listed |= inside
    return brought


def _commits(entries: Sequence[LogEntry]) -> tuple[ReleaseCommit, ...]:
    return tuple(
        ReleaseCommit(sha=entry.sha, subject=entry.subject[:120], author=entry.author, at=entry.at)
        for entry in entries[:LISTED]
    )


def _pulls(entries: Iterable[LogEntry]) -> tuple[int, ...]:
    def numbers() -> Iterator[int]:
        for entry in entries:
            yield from entry.pulls

    return tuple(dict.fromkeys(numbers()))
