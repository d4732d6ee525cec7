"""environments: the environments that a workflow promotes to or verifies, as a matrix for its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from stagegate.clients import hub, job_permissions
from stagegate.clients.connections import Connections, open_connections
from stagegate.model import Calls, Message, Result
from stagegate.promotion import apps, moved
from stagegate.promotion.apps import App
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
    with hub.remembering() as memory:
        pins = hub.from_context(context, inputs.pins_token or inputs.token)
        listed = apps.read(pins, inputs.config, context)
        several = apps.are_several(listed, inputs.config)
        releases = moved.releases(inputs.releases, listed)
        if inputs.select == "first":
            places = moved.first(listed, releases, several=several)
            return report(inputs, [Moved(places=places)], moved.road(listed, releases, places), memory.calls)
        push = moved.push(context.event_name, context.event())
        cause = push if inputs.select == "moved" else Push(everything=True)
        opened = [(app, connected(inputs, context, app)) for app in listed]
        return report(inputs, moved.of_apps(opened, cause, several=several), "", memory.calls)


def connected(inputs: Environments, context: Context, app: App) -> Connections:
    """The repositories of one app, with the tokens of the inputs."""
    tokens = PinsInputs(config=app.config, token=inputs.token, pins_token=inputs.pins_token)
    return open_connections(app.settings, context, tokens, job_permissions.WATCH)


def report(inputs: Environments, moved_environments: Sequence[Moved], road: str, calls: Calls) -> Result:
    """The matrix, for people and for the next job."""
    places = tuple(place for one in moved_environments for place in one.places)
    names = ", ".join(f"{place.app} {place.environment}" for place in places) or "none"
    return Result(
        reason="reported",
        message=Message(what=f"Environments: {names}."),
        outputs={
            "matrix": moved.matrix(places),
            "judge-again": str(any(one.judge_again for one in moved_environments)).lower(),
            "releases": road,
        },
        summary=render("environments.md.j2", places=places),
        dry_run=inputs.dry_run,
        calls=calls,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("environments", Environments, main)
