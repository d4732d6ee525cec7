"""soak-length: releases are not so frequent that a proposal is replaced before it has soaked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from statistics import median

from stagegate.model import Finding, Severity, moment
from stagegate.report.times import duration
from stagegate.settings import Environment, Settings, seconds
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_LEAST = 4  # releases, the minimum for a median


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """The median time between the newest releases against the soak of each environment."""
    hub = facts.hub
    for config, settings, environment in facts.places:
        soak = seconds(environment.soak)
        times = sorted(moment(at) for at in (hub.release_times.get(settings.app, ()) if hub else ()))
        if not soak or len(times) < _LEAST:
            continue
        between = _median(times)
        if between >= soak:
            continue
        severity, message, why, cure = _words(settings, environment, between, len(times))
        yield finding(severity, message, why, cure, file=config, environment=environment.name)


def _median(times: list[datetime]) -> float:
    return median((later - earlier).total_seconds() for earlier, later in pairwise(times))


def _words(
    settings: Settings, environment: Environment, between: float, releases: int
) -> tuple[Severity, str, str, str]:
    message = (
        f"{settings.app} is released every {duration(between)}, but releases soak for "
        f"{duration(seconds(environment.soak))} before {environment.name}."
    )
    why = f"The time between releases is the median of the newest {releases} releases."
    if environment.promotion.replace == "always":
        return (
            "error",
            message,
            f"{why} With `promotion.replace: always`, each new release replaces the proposal that "
            "soaks, so possibly no proposal is ever merged.",
            "Set `promotion.replace: when-idle`, or a soak that is shorter than the time between releases.",
        )
    return (
        "note",
        message,
        f"{why} A proposal that soaks stays open until it is merged, and only then stagegate "
        "proposes the newest release. So most releases are never promoted to this environment.",
        "If you want this, there is nothing to do. Otherwise set a shorter `soak`.",
    )


CHECK = DoctorCheck(
    name="soak-length",
    looks_at="Whether each `soak` is shorter than the time between releases",
    cure="Set a shorter soak, or `promotion.replace: when-idle`.",
    check=check,
    needs=frozenset({"github"}),
)
