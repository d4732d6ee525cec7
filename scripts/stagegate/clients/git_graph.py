"""The graph of a branch's commits, from their parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """The commits of a branch in topological order, newest first, each with its parents.

    `trees` are those of them that are here: of all folders, of root folders alone or none. See `git_history.trees`.
    """

    parents: Mapping[str, tuple[str, ...]]
    trees: Literal["all", "root", "none"] = "all"

    def reach(self, tips: Iterable[str]) -> frozenset[str]:
        """The given commits and everything in their history; commits outside the graph are left out."""
        waiting = [tip for tip in tips if tip in self.parents]
        reached = set(waiting)
        while waiting:
            for parent in self.parents[waiting.pop()]:
                if parent in self.parents and parent not in reached:
                    reached.add(parent)
                    waiting.append(parent)
        return frozenset(reached)

    def since(self, bases: Iterable[str]) -> tuple[str, ...]:
        """Commits that are not in the history of `bases`, newest first.

        Walked here instead of by `git log base..tip`, which trusts commit dates and stops early when a clock
        was wrong.
        """
        before = self.reach(bases)
        return tuple(sha for sha in self.parents if sha not in before) if before else tuple(self.parents)

    def brought(self, merges: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The commits that each of these merges added to its first parent, oldest first."""
        listed = [sha for sha in merges if len(self.parents.get(sha, ())) > 1]
        if not listed:
            return {}
        names = tuple(self.parents)
        places = {sha: place for place, sha in enumerate(names)}
        return {sha: tuple(names[place] for place in self._beside(sha, names, places)) for sha in listed}

    def _beside(self, merge: str, names: Sequence[str], places: Mapping[str, int]) -> list[int]:
        """Places of the commits behind the other parents of a merge that are not behind its first one.

        Both sides are walked, newest commits first, and only as long as a commit of the other parents is left: the
        reach of both parents would be the whole history, for each of thousands of merges.
        """
        from heapq import heappop, heappush

        first, *merged = self.parents[merge]
        on_main = {places[sha]: False for sha in merged if sha in places}
        if first in places:
            on_main[places[first]] = True
        waiting = sorted(on_main)  # a heap, and no commit is before one of its children in it
        beside, remaining = [], sum(not main for main in on_main.values())
        while remaining:
            place = heappop(waiting)
            main = on_main.pop(place)
            if not main:
                beside.append(place)
                remaining -= 1
            for parent in self.parents[names[place]]:
                at = places.get(parent)
                if at is None:
                    continue
                if at not in on_main:
                    heappush(waiting, at)
                    on_main[at] = main
                    remaining += not main
                elif main and not on_main[at]:
                    on_main[at] = True
                    remaining -= 1
        return beside[::-1]
