"""The road of one release: its steps with times and links, and where the time between them went. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stagegate.clients.hub import Commit, LogEntry, ReleaseTag, Status
from stagegate.evidence import milestones
from stagegate.evidence import records as evidence
from stagegate.evidence.milestones import MILESTONES, Milestone
from stagegate.model import WorkflowRun, branch_names, moment, trailers
from stagegate.promotion.status.facts import StatusFacts, version_of
from stagegate.report.status import Phase, PhaseName, Step
from stagegate.settings import Environment, seconds


def steps(facts: StatusFacts, tag: ReleaseTag, version: str, changes: Sequence[LogEntry]) -> tuple[Step, ...]:
    """Committed, tagged, built, published, then in each environment proposed, promoted, gated; oldest first."""
    newest = max(changes, key=lambda entry: entry.at, default=None)
    first = [
        *([_committed(facts, newest)] if newest else []),
        Step(name="tagged", at=tag.at, url=f"{facts.app_url}/releases/tag/{tag.name}"),
    ]
    later = [
        step
        for place in facts.promotion.settings.environments
        for step in (*_promoted(facts, place, version), *_gates(facts, place, version))
    ]
    return (*first, *_made(facts, tag, version, later), *sorted(later, key=lambda step: moment(step.at)))


def phases(facts: StatusFacts, tag: ReleaseTag, done: Sequence[Step]) -> tuple[Phase, ...]:
    """Where the time of a release went, for each part whose begin and end are known."""
    return tuple(_phases(facts, tag, done))


def _committed(facts: StatusFacts, entry: LogEntry) -> Step:
    return Step(name="committed", at=entry.at, url=f"{facts.app_url}/commit/{entry.sha}")


def _made(facts: StatusFacts, tag: ReleaseTag, version: str, later: Sequence[Step]) -> Iterator[Step]:
    """Built and published, as the actions that did it recorded.

    Without their records both had ended when the first pins came to name the version: that is what Git knows.
    """
    recorded: dict[Milestone, Status] = {}
    for name in MILESTONES:
        if milestone := milestones.of(tag.statuses, facts.promotion.app, name, facts.milestone_writers):
            recorded[name] = milestone
            yield Step(name=name, at=milestone.created_at, url=milestone.target_url)
    if "published" in recorded:
        return
    promoted = [step for step in later if step.name == "promoted"]
    if promoted:
        first = min(promoted, key=lambda step: moment(step.at))
        moves = facts.moves.get(first.environment, ())
        ours = (commit.trailers for commit in moves if _brings(facts, commit, first.environment, version))
        run = next((named.get(trailers.RUN, "") for named in ours), "")
        ended = "published" if recorded else "built and published"
        yield Step(name=ended, at=first.at, url=facts.run_url(WorkflowRun(id=run)))


def _promoted(facts: StatusFacts, place: Environment, version: str) -> Iterator[Step]:
    """When the version was proposed and came in: by a merged pull request, else by a commit of ours."""
    pulls = [pull for pull in facts.pulls_of(place.name) if version_of(pull) == version]
    for pull in pulls:
        back = pull.branch == branch_names.rollback(facts.promotion.app, place.name)
        yield Step(
            name="rollback proposed" if back else "proposed",
            at=pull.opened,
            url=pull.url,
            environment=place.name,
        )
        if pull.merged:
            yield Step(
                name="rolled back" if back else "promoted",
                at=pull.merged,
                url=pull.url,
                environment=place.name,
            )
    if not any(pull.merged for pull in pulls):
        for commit in facts.moves.get(place.name, ()):
            if _brings(facts, commit, place.name, version):
                url = f"{facts.pins_url}/commit/{commit.sha}"
                yield Step(name="promoted", at=commit.committed_at, url=url, environment=place.name)


def _brings(facts: StatusFacts, commit: Commit, environment: str, version: str) -> bool:
    named = commit.trailers
    return trailers.is_of(named, facts.promotion.app, environment) and named.get(trailers.VERSION) == version


def _gates(facts: StatusFacts, place: Environment, version: str) -> Iterator[Step]:
    """The verdicts of the gates of this version there."""
    for record in evidence.deciding(facts.promotion.records.get(place.name, ())):
        recorded = record.evidence
        if recorded is None or recorded.version != version:
            continue
        yield Step(
            name={"adopted": "adopted", "skipped": "gate skipped"}.get(recorded.outcome, "gate"),
            at=record.since,
            url=facts.run_url(recorded.run),
            environment=place.name,
            state="failed" if recorded.outcome in ("failed", "skipped") else "done",
        )


def _phases(facts: StatusFacts, tag: ReleaseTag, done: Sequence[Step]) -> Iterator[Phase]:
    def at(name: str, environment: str) -> datetime | None:
        done_steps = (s for s in done if (s.name, s.environment, s.state) == (name, environment, "done"))
        return min((moment(step.at) for step in done_steps), default=None)

    for place in facts.promotion.settings.environments:
        promoted, passed = at("promoted", place.name), at("gate", place.name)
        before = [when for name in place.after if (when := at("gate", name))]
        if not place.after and promoted:
            yield _phase("build", moment(tag.at), promoted)
        if promoted and before:
            yield from _between(place, max(before), at("proposed", place.name), promoted)
        if promoted and passed:
            yield _phase("roll-out", promoted, passed, place.name)


def _between(
    place: Environment, ready: datetime, proposed: datetime | None, promoted: datetime
) -> Iterator[Phase]:
    """The time from the gate before to the promotion, as queue, soak, freeze and approval."""
    begin = max(ready, proposed or ready)
    yield _phase("queue", ready, begin, place.name)
    soaked = min(max(begin, ready + timedelta(seconds=seconds(place.soak))), max(promoted, begin))
    yield _phase("soak", begin, soaked, place.name)
    frozen = sum(_overlap(span, (soaked, promoted)) for span in _freezes(place))
    remaining = max((promoted - soaked).total_seconds(), 0.0)
    frozen = min(frozen, remaining)
    yield Phase(name="freeze", seconds=frozen, environment=place.name)
    yield Phase(name="approval", seconds=remaining - frozen, environment=place.name)


def _phase(name: PhaseName, begin: datetime, end: datetime, environment: str = "") -> Phase:
    return Phase(name=name, seconds=max((end - begin).total_seconds(), 0.0), environment=environment)


def _freezes(place: Environment) -> Iterator[tuple[datetime, datetime]]:
    for freeze in place.freeze:
        try:
            zone = ZoneInfo(freeze.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        begin = datetime.combine(freeze.from_, time(), zone)
        yield begin, datetime.combine(freeze.to + timedelta(days=1), time(), zone)


def _overlap(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> float:
    return max((min(one[1], other[1]) - max(one[0], other[0])).total_seconds(), 0.0)
