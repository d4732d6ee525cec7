"""Reads and judges one head for every app of the repository."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from stagegate.errors import Stop
from stagegate.promotion import branches, evaluate, ground, merging
from stagegate.promotion.access import Access
from stagegate.promotion.apps import App
from stagegate.promotion.evaluate import Judged
from stagegate.promotion.guard.facts import Head
from stagegate.promotion.plan import Verdict


class AppJudged(msgspec.Struct, frozen=True, kw_only=True):
    """What a head means for one app; `stop` where it could not be judged."""

    app: str
    verdict: Verdict
    environments: tuple[Judged, ...] = ()
    stop: Stop | None = None


def judge(places: Sequence[tuple[App, Access]], head: Head, now: datetime) -> tuple[AppJudged, ...]:
    """Every app's verdict on a head. What cannot be judged is an error on the head, never silence."""
    return tuple(_app(app, doors, head, now) for app, doors in places)


def _app(app: App, doors: Access, head: Head, now: datetime) -> AppJudged:
    name = app.settings.app
    try:
        soil = ground.read(doors, app.settings)
        if head.pull is None:
            found = evaluate.change(
                doors, soil, head.before, head.sha, head.labels, now, commits=head.commits, queued=True
            )
            return AppJudged(app=name, verdict=found.verdict, environments=found.environments)
        found = evaluate.pull(doors, soil, head.pull, now)
        verdict = found.verdict
        environment = _promoted(app, head)
        if environment and head.pull.head_repository == doors.pins.repository:
            verdict = merging.awaited(doors, soil, environment, head.pull, verdict)
        return AppJudged(app=name, verdict=verdict, environments=found.environments)
    except Stop as stop:
        return AppJudged(
            app=name,
            verdict=Verdict(state="error", description=f"{stop.reason}: {stop.what} {stop.why}"),
            stop=stop,
        )


def _promoted(app: App, head: Head) -> str:
    """The environment whose promotion or rollback this pull request is, by its branch; empty when none."""
    name, places = app.settings.app, app.settings.environments
    own = {
        branch: place.name
        for place in places
        for branch in (branches.promotion(name, place.name), branches.rollback(name, place.name))
    }
    return own.get(head.pull.head_ref, "") if head.pull else ""
