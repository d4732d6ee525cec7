"""Reports when the ApplicationSet of an Application reads Git again."""

from __future__ import annotations

from typing import Any

from stagegate.argocd_app.json_fields import mapping, rows
from stagegate.errors import Stop
from stagegate.gate.following import Source
from stagegate.gate.progress import Progress
from stagegate.runner import log

Json = dict[str, Any]
DEFAULT = 180.0  # seconds, Argo CD's own for Git generators


def ask(source: Source, state: Progress) -> None:
    """Read once how often the ApplicationSet of an Application reads Git; the default without permission."""
    application = state.seen
    if application is None or not application.application_set or state.set_interval is not None:
        return
    state.set_interval = DEFAULT
    try:
        state.set_interval = interval(source.application_set(application.application_set))
    except Stop as trouble:
        log.debug(trouble.what)


def interval(document: Json) -> float:
    """The shortest `requeueAfterSeconds` of an ApplicationSet's generators, nested ones included."""
    intervals = list(_intervals(rows(mapping(document, "spec").get("generators"))))
    return min(intervals, default=DEFAULT)


def _intervals(value: Any) -> list[float]:
    if isinstance(value, list):
        return [number for item in value for number in _intervals(item)]
    if not isinstance(value, dict):
        return []
    interval = value.get("requeueAfterSeconds")
    own_interval = [float(interval)] if isinstance(interval, int | float) and interval > 0 else []
    return own_interval + [number for item in value.values() for number in _intervals(item)]


def told(state: Progress, now: float) -> str:
    """A note for the progress line while a changed pin is not applied, or nothing."""
    application = state.seen
    if application is None or not application.application_set or state.judgement.reason != "pin-not-applied":
        return ""
    interval = state.set_interval or DEFAULT
    left = max(0.0, interval - (now - state.history.since))
    return (
        f"ApplicationSet {application.application_set} makes this Application. It reads Git every "
        f"{interval:.0f} s, next within {left:.0f} s. With a webhook from the Git server "
        "to Argo CD's ApplicationSet controller (/api/webhook), it reads Git at once"
    )
