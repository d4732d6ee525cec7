"""Reads the status of an app from Git and GitHub, in a constant number of calls for each environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TypeVar

from stagegate.clients.connections import Connections
from stagegate.clients.hub import Commit, LogEntry
from stagegate.errors import Stop
from stagegate.evidence import records as evidence
from stagegate.evidence.records import Record
from stagegate.model import branch_names, statuses
from stagegate.pins import pinned_version
from stagegate.policy.facts import PromotionFacts
from stagegate.promotion import app_state
from stagegate.promotion.apps import App
from stagegate.promotion.status import environments, history
from stagegate.promotion.status.facts import StatusFacts
from stagegate.report.status import AppStatus
from stagegate.settings import Environment

T = TypeVar("T")

LOOKS = 5  # the newest looks of an environment
MOVES = 50  # the newest commits on a pin file
TAGS = 30  # the newest releases
COMMITS = 300  # the newest commits of the default branch


def read(
    app: App, connections: Connections, now: datetime, *, environment: str = "", full: bool = True
) -> AppStatus:
    """The status of an app, all environments or one. Never a Stop: what could not be read is shown as unknown.

    `full`: with releases, commits and the history of the pins, which a short answer does not show.
    """
    name, repository = app.settings.app, connections.app.repository
    try:
        state = app_state.read(connections, app.settings)
        places = state.settings.environments
        first = next((place.name for place in places if not place.after), places[0].name)
        others = [place.name for place in places if place.name != first]
        promotion, _ = app_state.facts(connections, state, "status", first, "", others)
    except Stop as stop:
        return AppStatus(app=name, repository=repository, trouble=f"{stop.what} {stop.why}")
    facts = _facts(connections, promotion, full=full)
    shown = [place for place in places if environment in ("", place.name)]
    history_of = history.releases(facts) if full else ()
    unreleased = history.unreleased(facts) if full else ((), ())
    return AppStatus(
        app=name,
        repository=repository,
        environments=tuple(environments.status(facts, place, now) for place in shown),
        bans=environments.bans(facts, now),
        releases=history_of,
        unreleased=unreleased[0],
        unreleased_pulls=unreleased[1],
        notes=tuple(f"{part} could not be read: {why}" for part, why in facts.unread.items()),
    )


def _facts(connections: Connections, promotion: PromotionFacts, *, full: bool) -> StatusFacts:
    """Everything beside the facts of a promotion. A part that cannot be read is named, and stays empty."""
    unread: dict[str, str] = {}

    def part(name: str, ask: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        try:
            return tuple(ask())
        except Stop as stop:
            unread[name] = f"{stop.what} {stop.why}"
            return ()

    settings, pins, app = promotion.settings, connections.pins, connections.app
    places = settings.environments
    branches = [branch for place in places for branch in branch_names.both(promotion.app, place.name)]
    prefix = settings.version.tag_prefix
    tags = part("tags", partial(app.release_tags, prefix, TAGS))
    looks = {p.name: part("looks", partial(_looks, connections, promotion, p)) for p in places}
    pulls = part("pull requests", partial(pins.branch_pulls, branches, statuses.PINS))
    moves: Mapping[str, tuple[Commit, ...]] = {}
    log: tuple[LogEntry, ...] = ()
    if full:
        moves = {
            p.name: part("commits that changed pins", partial(_moves, connections, promotion, p))
            for p in places
        }
        log = part("commits", lambda: app.log(app.default_branch(), COMMITS))
    return StatusFacts(
        promotion=promotion,
        server_url=app.server_url,
        looks=looks,
        tags=tuple(tag for tag in tags if history.is_release(tag.name, prefix)),
        tags_read=len(tags),
        pulls=pulls,
        moves=moves,
        log=log,
        unread=unread,
    )


def _looks(connections: Connections, promotion: PromotionFacts, place: Environment) -> tuple[Record, ...]:
    task = evidence.task(promotion.app, "look")
    newest = connections.app.deployments(task, environment=place.name, first=LOOKS)
    return evidence.records(newest, promotion.app, place.name, promotion.accepted)


def _moves(connections: Connections, promotion: PromotionFacts, place: Environment) -> tuple[Commit, ...]:
    files = pinned_version.files_of(place)[:1]
    return tuple(c for f in files for c in connections.pins.history(promotion.base_head, first=MOVES, path=f))
