"""announce: starts the workflow of the pins repository that promotes a release of this repository."""

from __future__ import annotations

import msgspec

from stagegate.clients import job_permissions
from stagegate.clients.connections import Connections, open_connections
from stagegate.errors import Stop
from stagegate.model import Change, Message, Result, parse_version
from stagegate.promotion import apps
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import TwoRepositoryInputs


class Announce(TwoRepositoryInputs, frozen=True, kw_only=True):
    """Inputs of announce."""

    version: str
    commit: str
    workflow: str = "stagegate.yml"


def main(inputs: Announce, context: Context) -> Result:
    """Inputs -> facts -> apply -> report. The rules of the pins repository decide what becomes of it."""
    inputs, settings = apps.load_one(inputs, context)
    parse_version(inputs.version, source="version")
    if not settings.policy:
        raise Stop(
            "bad-settings",
            f"{inputs.config} names no pins repository.",
            "announce starts a workflow in the repository that `policy` names.",
            "Add `policy: owner/repository//path/of/stagegate.yaml`, or leave this step out.",
            file=inputs.config,
        )
    connections = open_connections(settings, context, inputs, job_permissions.ANNOUNCE)
    change = announce(connections, inputs, settings.app)
    return report(inputs, settings.app, connections, change)


def announce(connections: Connections, inputs: Announce, app: str) -> Change:
    """Start the workflow; in a dry run only report it."""
    pins = connections.pins
    release = msgspec.json.encode({"app": app, "version": inputs.version, "commit": inputs.commit}).decode()
    target = f"{pins.repository}: {inputs.workflow}"
    if inputs.dry_run:
        return Change(kind="dispatch", target=target, after=inputs.version, done=False)
    pins.dispatch(inputs.workflow, pins.default_branch(), {"release": release})
    return Change(kind="dispatch", target=target, after=inputs.version)


def report(inputs: Announce, app: str, connections: Connections, change: Change) -> Result:
    """What was started, for people and for the next step."""
    pins = connections.pins
    page = f"{pins.server_url}/{pins.repository}/actions/workflows/{inputs.workflow}"
    done = "would be announced" if inputs.dry_run else "is announced"
    return Result(
        reason="planned" if inputs.dry_run else "reported",
        message=Message(what=f"{app} {inputs.version} {done} to {pins.repository}.", why=page),
        outputs={"run-page": page},
        app=app,
        version=inputs.version,
        dry_run=inputs.dry_run,
        changes=(change,),
        calls=connections.calls,
    )


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("announce", Announce, main)
