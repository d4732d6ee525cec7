"""Queries of a small graph of commits in this process, with results in git's own order."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from lab.forge.git_objects import Commit

Read = Callable[[str], Commit]
LIMIT = 2_000  # from here on a separate git process is faster


class TooLarge(Exception):
    """The graph has too many commits to read one by one."""


def ancestors(read: Read, tips: Sequence[str]) -> set[str]:
    """The commits that can be reached from `tips`, with these. TooLarge, GitError."""
    reached, waiting = set(tips), list(tips)
    while waiting:
        fresh = set(read(waiting.pop()).parents) - reached
        reached |= fresh
        waiting += fresh
        if len(reached) > LIMIT:
            raise TooLarge
    return reached


def newest_first(read: Read, tips: Sequence[str], hidden: Sequence[str] = ()) -> Iterator[str]:
    """The output of `git rev-list tips ^hidden`: by the committer's date, equal dates in walk order."""
    excluded = ancestors(read, hidden)
    turn = itertools.count()
    queue: list[tuple[float, int, str]] = []
    reached = set(excluded)

    def reach(shas: Sequence[str]) -> None:
        for sha in shas:
            if sha not in reached:
                reached.add(sha)
                heapq.heappush(queue, (-_seconds(read(sha)), next(turn), sha))
        if len(reached) > LIMIT:
            raise TooLarge

    reach(tips)
    while queue:
        sha = heapq.heappop(queue)[2]
        yield sha
        reach(read(sha).parents)


def merge_bases(read: Read, left: str, right: str) -> set[str]:
    """The common ancestors that no other common ancestor descends from; none for unrelated histories."""
    common = ancestors(read, [left]) & ancestors(read, [right])
    beaten: set[str] = set()
    for sha in common:
        if sha not in beaten:
            beaten |= ancestors(read, read(sha).parents)
    return common - beaten


def _seconds(commit: Commit) -> float:
    return datetime.fromisoformat(commit.committer.date).timestamp()
