"""pin-guard: sets the status `stagegate/pins` of a pull request or merge group, by its changes of the pins."""

from __future__ import annotations

import msgspec

from stagegate.clients import hub, job_permissions
from stagegate.clients.connections import open_connections
from stagegate.guard import heads, result, unwatched
from stagegate.guard.judge_heads import Guard
from stagegate.model import Result
from stagegate.promotion import apps
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import ClusterInputs


class PinGuard(ClusterInputs, frozen=True, kw_only=True):
    """Inputs of pin-guard."""

    pull_request: int = 0
    html: str = ""


def main(inputs: PinGuard, context: Context) -> Result:
    """Each request to GitHub is sent once, for any number of apps."""
    with hub.remembering() as memory:
        done = guard(inputs, context)
        return msgspec.structs.replace(done, calls=memory.calls)


def guard(inputs: PinGuard, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report, for every head that the event is about."""
    pins = hub.from_context(context, inputs.pins_token or inputs.token)
    is_plain = not (inputs.pull_request or inputs.dry_run)
    untouched = unwatched.judge(pins, inputs, context) if is_plain else None
    if untouched is not None:
        return untouched
    apps.read_ahead(pins, inputs.config)
    now = pins.now()
    selected = heads.heads(pins, context, inputs.pull_request)
    places = []
    for app in apps.read(pins, inputs.config) if selected else ():
        of_app = msgspec.structs.replace(inputs, config=app.config)
        places.append((app, open_connections(app.settings, context, of_app, job_permissions.GUARD)))
    every = Guard(pins=pins, places=places, now=now, run_url=context.run_url, dry_run=inputs.dry_run)
    judged = tuple(map(every.judge, selected))
    page = result.show(context, inputs.html, judged, now)
    done = result.result(judged, now, run_url=context.run_url, dry_run=inputs.dry_run, calls=pins.calls)
    return done.with_outputs({**done.outputs, "page": page})


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("pin-guard", PinGuard, main)
