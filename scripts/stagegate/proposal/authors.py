"""Which commits of a branch are ours: by their trailers and by their author."""

from __future__ import annotations

from collections.abc import Iterable

from stagegate.clients import hub
from stagegate.model import Actor
from stagegate.proposal import names


def strangers(
    pins: hub.Hub, commits: Iterable[hub.Commit], app: str, environment: str
) -> tuple[hub.Commit, ...]:
    """Commits that are not ours."""
    ours = (hub.ACTIONS_BOT, pins.viewer())
    return tuple(commit for commit in commits if not _is_ours(commit, ours, app, environment))


def _is_ours(commit: hub.Commit, ours: tuple[Actor, ...], app: str, environment: str) -> bool:
    by_us = any(actor.same(commit.author) for actor in ours)
    return by_us and names.is_ours(commit.trailers, app, environment)
