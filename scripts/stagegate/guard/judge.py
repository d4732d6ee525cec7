"""Reads and judges one head for every app of the repository."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import datetime

import msgspec
import yaml

from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.guard.heads import Head
from stagegate.policy.commit_status import PinsStatus
from stagegate.promotion import app_state, evaluate, merge_result
from stagegate.promotion.apps import App
from stagegate.promotion.evaluate import Judged
from stagegate.runner import log

# Errors that foreign text can cause in parsers. One head must not end the run for the others.
ODD = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError, OSError,
    yaml.YAMLError, AssertionError,
)  # fmt: skip


class AppJudged(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of a head for one app; `stop` where it could not be judged."""

    app: str
    verdict: PinsStatus
    environments: tuple[Judged, ...] = ()
    stop: Stop | None = None


def judge(places: Sequence[tuple[App, Connections]], head: Head, now: datetime) -> tuple[AppJudged, ...]:
    """Every app's verdict on a head. A failure to judge becomes the state `error`, never silence."""
    return tuple(_app(app, connections, head, now) for app, connections in places)


def _app(app: App, connections: Connections, head: Head, now: datetime) -> AppJudged:
    name = app.settings.app
    try:
        state = app_state.read(connections, app.settings)
        if head.pull is None:
            judgement = evaluate.change(
                connections, state, head.before, head.sha, head.origin, now, queued=True
            )
        else:
            judgement = merge_result.judge(connections, state, head.pull, now)
        return AppJudged(app=name, verdict=judgement.verdict, environments=judgement.environments)
    except Stop as stop:
        return unjudged(name, stop)
    except ODD as error:
        return unjudged(name, odd(head, error))


def odd(head: Head, error: BaseException) -> Stop:
    """An unexpected error on a head, as a Stop. The traceback goes to the log."""
    log.say("".join(traceback.format_exception(error)))
    return Stop(
        "unknown-state",
        f"pin-guard cannot check {head.name}.",
        f"Reading the files ended with the error {type(error).__name__}; the log shows the place.",
        "Write pins and values in plain YAML, or report the error together with the log of this run.",
    )


def unjudged(app: str, stop: Stop) -> AppJudged:
    """An error on this head, which leaves every other head alone."""
    verdict = PinsStatus(state="error", description=f"{stop.reason}: {stop.what} {stop.why}")
    return AppJudged(app=app, verdict=verdict, stop=stop)
