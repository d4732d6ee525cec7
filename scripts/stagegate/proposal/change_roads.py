"""The release that brought each change, and the environments that ran it, for reviewers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from stagegate.clients.hub import ReleaseTag, Status
from stagegate.evidence import milestones
from stagegate.evidence.records import context, is_accepted
from stagegate.model import Actor
from stagegate.proposal.body_values import Passage, ReleaseRoad

_WORDS = {"success": "passed", "failure": "failed"}  # the verdicts of a gate; one at work is none yet


class HasParents(Protocol):
    """A commit of a log."""

    @property
    def parents(self) -> tuple[str, ...]: ...


def reached(log: Mapping[str, HasParents], starts: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """Every commit of the log that the starts contain, those of `without` left out."""
    stop, commits = frozenset(without), set[str]()
    waiting = list(starts)
    while waiting:
        sha = waiting.pop()
        if sha in log and sha not in stop and sha not in commits:
            commits.add(sha)
            waiting += log[sha].parents
    return commits


def releases(
    log: Mapping[str, HasParents],
    tags: Sequence[ReleaseTag],
    app: str,
    environments: Sequence[str],
    writers: Sequence[Actor],
    *,
    prefix: str,
    code_url: str,
) -> tuple[ReleaseRoad, ...]:
    """The releases that brought the commits of a log (oldest first), each with its own commits and its road."""
    order = {sha: number for number, sha in enumerate(log)}
    brought: set[str] = set()
    roads = []
    for tag in sorted((tag for tag in tags if tag.commit in log), key=lambda tag: order[tag.commit]):
        own = reached(log, [tag.commit], brought)
        brought |= own
        roads.append(
            ReleaseRoad(
                version=tag.name.removeprefix(prefix),
                url=f"{code_url}/releases/tag/{tag.name}",
                commits=tuple(sha for sha in log if sha in own),
                passages=tuple(_passages(tag, app, environments, writers)),
            )
        )
    return tuple(roads)


def _passages(
    tag: ReleaseTag, app: str, environments: Sequence[str], writers: Sequence[Actor]
) -> Iterator[Passage]:
    yield Passage(where="tagged", at=tag.at)
    for name in milestones.MILESTONES:
        if milestone := milestones.of(tag.statuses, app, name, writers):
            yield Passage(where=name, at=milestone.created_at, url=milestone.target_url)
    for environment in environments:
        status = _verdict(tag.statuses, context(app, environment), writers)
        if status and status.state in _WORDS:
            word = _WORDS[status.state]
            yield Passage(where=environment, state=word, at=status.created_at, url=status.target_url)


def _verdict(statuses: Iterable[Status], wanted: str, writers: Sequence[Actor]) -> Status | None:
    return next((s for s in statuses if s.context == wanted and is_accepted(s.creator, writers)), None)
