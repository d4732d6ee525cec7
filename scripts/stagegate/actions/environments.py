"""environments: the environments that a workflow promotes to or verifies, as a matrix for its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stagegate.clients import hub, job_permissions
from stagegate.clients.connections import open_connections
from stagegate.model import Calls, Message, Result
from stagegate.promotion import apps, moved
from stagegate.promotion.moved import Moved, Push
from stagegate.report.render import render
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs, PinsInputs


class Environments(Inputs, frozen=True, kw_only=True):
    """Inputs of environments."""

    pins_token: str = ""
    select: Literal["first", "moved", "all"] = "moved"
    releases: str = ""


def main(inputs: Environments, context: Context) -> Result:
    """Inputs -> facts -> plan -> report; nothing is written."""
    pins = hub.from_context(context, inputs.pins_token or inputs.token)
    listed = apps.read(pins, inputs.config)
    several = apps.is_glob(inputs.config)
    releases = moved.releases(inputs.releases, listed)
    calls, found, road = [pins.calls], list[Moved](), ""
    if inputs.select == "first":
        places = moved.first(listed, releases, several=several)
        found, road = [Moved(places=places)], moved.road(listed, releases, places)
    else:
        push = moved.push(context.event_name, context.event())
        for app in listed:
            speaking = PinsInputs(config=app.config, token=inputs.token, pins_token=inputs.pins_token)
            connections = open_connections(app.settings, context, speaking, job_permissions.WATCH)
            cause = push if inputs.select == "moved" else Push(everything=True)
            found.append(moved.of_app(connections, app, cause, several=several))
            calls.append(connections.calls)
    total = Calls(read=sum(c.read for c in calls), write=sum(c.write for c in calls))
    return report(inputs, found, road, total)


def report(inputs: Environments, found: Sequence[Moved], road: str, calls: Calls) -> Result:
    """The matrix, for people and for the next job."""
    places = tuple(place for one in found for place in one.places)
    names = ", ".join(f"{place.app} {place.environment}" for place in places) or "none"
    return Result(
        reason="reported",
        message=Message(what=f"Environments: {names}."),
        outputs={
            "matrix": moved.matrix(places),
            "judge-again": str(any(one.judge_again for one in found)).lower(),
            "releases": road,
        },
        summary=render("environments.md.j2", places=places),
        dry_run=inputs.dry_run,
        calls=calls,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("environments", Environments, main)
