"""The commits that a merge brought, from the parents of commits."""

from __future__ import annotations

from lab.generated_history import Draw
from stagegate.clients.git_graph import Graph


def generated(seed: int) -> Graph:
    """A graph with several roots, merges of two and three, and sometimes an edge behind which commits are missing."""
    draw = Draw(seed)
    count = draw.choice(range(2, 40))
    parents = {}
    for number in range(count):
        wanted = draw.choice((0, 1, 1, 1, 1, 1, 2, 2, 2, 3)) if number else 0
        drawn = dict.fromkeys(draw.choice(range(number)) for _ in range(wanted))
        parents[str(number)] = tuple(str(parent) for parent in drawn)
    edge = draw.choice((0, 0, count // 3))
    return Graph(parents={str(number): parents[str(number)] for number in reversed(range(edge, count))})


def test_a_merge_brings_only_the_commits_behind_its_other_parents() -> None:
    merges = 0
    for seed in range(300):
        graph = generated(seed)
        for merge, brought in graph.brought(graph.parents).items():
            first, *others = graph.parents[merge]
            assert set(brought) == graph.reach(others) - graph.reach([first]), (seed, merge)
            assert len(set(brought)) == len(brought)
            places = [list(graph.parents).index(sha) for sha in brought]
            assert places == sorted(places, reverse=True), "oldest first"
            merges += 1
    assert merges > 300


class Counting(dict[str, tuple[str, ...]]):
    """Parents of commits that count the look-ups."""

    lookups = 0

    def __getitem__(self, sha: str) -> tuple[str, ...]:
        self.lookups += 1
        return super().__getitem__(sha)


def test_thousands_of_merges_are_read_without_a_walk_for_each() -> None:
    parents: dict[str, tuple[str, ...]] = {"root": ()}
    main = "root"
    for number in range(2_000):
        parents |= {f"a{number}": (main,), f"b{number}": (f"a{number}",)}
        parents[f"m{number}"] = (main, f"b{number}")
        main = f"m{number}"
    counting = Counting(reversed(parents.items()))
    brought = Graph(parents=counting).brought(sha for sha in parents if sha[0] == "m")
    assert brought["m7"] == ("a7", "b7")
    assert counting.lookups < 5 * len(parents)
