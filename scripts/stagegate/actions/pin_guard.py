"""pin-guard: puts the status `stagegate/pins` on any pull request or merge group, by what it does to the pins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from stagegate.clients import hub
from stagegate.clients.connections import Connections, open_connections
from stagegate.errors import Stop
from stagegate.guard import combine, heads, judge, result
from stagegate.guard.heads import Head
from stagegate.guard.result import HeadJudged
from stagegate.model import Calls, Result
from stagegate.promotion import apps
from stagegate.promotion.apps import App
from stagegate.proposal import write as apply
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import PinsInputs

ATTEMPTS = 5


class PinGuard(PinsInputs, frozen=True, kw_only=True):
    """Inputs of pin-guard."""

    pull_request: int = 0


def main(inputs: PinGuard, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report, for every head the event is about."""
    pins = hub.from_context(context, inputs.pins_token or inputs.token)
    now = pins.now()
    found = heads.heads(pins, context, inputs.pull_request)
    places = [(app, connect(inputs, app, context)) for app in apps.read(pins, inputs.config)] if found else []
    seen = tuple(once(pins, places, head, now, context, dry_run=inputs.dry_run) for head in found)
    calls = [pins.calls, *(connections.calls for _, connections in places)]
    total = Calls(read=sum(c.read for c in calls), write=sum(c.write for c in calls))
    return result.result(seen, now, run_url=context.run_url, dry_run=inputs.dry_run, calls=total)


def once(
    pins: hub.Hub,
    places: Sequence[tuple[App, Connections]],
    head: Head,
    now: datetime,
    context: Context,
    *,
    dry_run: bool,
) -> HeadJudged:
    """Judge a head and write its status; a pull request that changed meanwhile is judged again first."""
    for _ in range(ATTEMPTS):
        judged = judge.judge(places, head, now)
        verdict = combine.combine({one.app: one.verdict for one in judged})
        latest = heads.again(pins, head.pull.number) if head.pull else head
        if latest is None or head.same(latest):
            write = not dry_run and latest is not None
            speaker = places[0][1].pins  # as the App, where there is one: only its states count then
            # The pull request's address, not the run's: a status that says nothing new is not written again.
            address = head.pull.url if head.pull else context.run_url
            changes = apply.status(speaker, head.sha, verdict, address) if write else ()
            return HeadJudged(head=head, verdict=verdict, apps=judged, changes=changes)
        head = latest
    raise Stop(
        "stale-base",
        f"{head.name} changed {ATTEMPTS} times while it was judged.",
        "A verdict counts only for what was judged.",
        "The next change starts this again; nothing has to be done.",
    )


def connect(inputs: PinGuard, app: App, context: Context) -> Connections:
    """The repositories and registries of one app, with the tokens of the inputs."""
    return open_connections(app.settings, context, msgspec.structs.replace(inputs, config=app.config))


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("pin-guard", PinGuard, main)
