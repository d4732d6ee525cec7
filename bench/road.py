"""The requests of a release to GitHub, counted for each action, and how many releases are possible in an hour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.table import Row
from lab.demo.road import feature
from lab.forge.values import Call
from lab.lab import Lab

HOUR = 1000  # requests to REST, and points of GraphQL, that GITHUB_TOKEN has in a repository
CREATED = 500  # requests in an hour that create content
BUDGET = 120  # requests of one release to two environments


def rows(folder: Path) -> Iterator[Row]:
    """One release through staging and prod: each action by its runs, then all of it."""
    with Lab(folder / "lab") as lab:
        lab.adopt()
        since = len(lab.forge.calls)
        feature(lab)
        lab.settle()
        (pull,) = lab.pulls()
        lab.merge(pull["number"])
        lab.settle()
        calls = lab.forge.calls[since:]
    for action, made in by_action(calls).items():
        yield Row(f"{action}, in one release", described(made), f"{HOUR} an hour", len(made) / HOUR, "")
    road = [call for made in by_action(calls).values() for call in made]
    each = max(len(rest(road)), len(graphql(road)))
    room = min(HOUR // each, CREATED // sum(call.write for call in road))
    yield Row(
        f"one release to two environments: {room} an hour with GITHUB_TOKEN", described(road),
        f"{BUDGET} requests", len(road) / BUDGET, str(BUDGET), len(road) <= BUDGET,
    )  # fmt: skip


def by_action(calls: Iterable[Call]) -> dict[str, list[Call]]:
    """The requests of each action, by its program's name. Those of Git and of people are left out."""
    found: dict[str, list[Call]] = {}
    for call in calls:
        if match := re.match(r"stagegate \(([a-z_]+)\)", call.agent):
            found.setdefault(match[1].replace("_", "-"), []).append(call)
    return dict(sorted(found.items()))


def rest(calls: Iterable[Call]) -> list[Call]:
    """The requests that count against the limit of REST."""
    return [call for call in calls if call.path != "/graphql"]


def graphql(calls: Iterable[Call]) -> list[Call]:
    """The requests that count against the limit of GraphQL, one point each."""
    return [call for call in calls if call.path == "/graphql"]


def described(calls: list[Call]) -> str:
    """How many of each kind."""
    writes = Counter(call.write for call in calls)[True]
    return f"{len(rest(calls))} REST, {len(graphql(calls))} GraphQL ({writes} writes)"
