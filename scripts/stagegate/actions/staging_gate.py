"""staging-gate: waits for exactly one release in an environment, tests it there, and records the verdict."""

from __future__ import annotations

import msgspec

from stagegate.clients import hub, job_permissions
from stagegate.clients.connections import open_connections
from stagegate.errors import Stop
from stagegate.gate import gate_result, intent
from stagegate.gate import run as gate_run
from stagegate.gate.request import GateRequest
from stagegate.gate.verdict import Mode
from stagegate.model import Result
from stagegate.notification.entrypoint import entrypoint
from stagegate.promotion import apps, gate_facts, gate_world, promote
from stagegate.promotion.request import PromotionRequest
from stagegate.runner.context import Context
from stagegate.runner.inputs import ClusterInputs
from stagegate.settings import Settings


class StagingGate(ClusterInputs, frozen=True, kw_only=True):
    """Inputs of staging-gate."""

    environment: str
    version: str = ""
    mode: Mode = "wait"
    reason: str = ""
    timeout: str = ""
    junit: str = ""
    again: bool = False
    fail_on_waiting: bool = False


def main(inputs: StagingGate, context: Context) -> Result:
    """Each request to GitHub is sent once, until something may have changed."""
    with hub.remembering():
        return gate(inputs, context)


def gate(inputs: StagingGate, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report, then land: a rollback where the settings ask for one."""
    request = requested(inputs)
    inputs, settings = apps.load_one(inputs, context)
    connections = open_connections(settings, context, inputs, job_permissions.GATE, as_app=False)
    if not context.actor:  # by hand, outside a runner: the record still names somebody
        context = msgspec.structs.replace(context, actor=connections.app.viewer().login)
    facts = gate_facts.read(request, settings, connections, context)
    plan = intent.plan(facts, request, context.run_id)
    world = gate_world.world(facts, connections)
    result = gate_run.apply_intent(plan, request, facts, world, context)
    if gate_run.wants_rollback(request, facts, result):
        return land(inputs, context, settings, result)
    return result


def requested(inputs: StagingGate) -> GateRequest:
    """The inputs as a request."""
    names = GateRequest.__struct_fields__
    return msgspec.convert({name: getattr(inputs, name) for name in names}, GateRequest)


def land(inputs: StagingGate, context: Context, settings: Settings, result: Result) -> Result:
    """Propose the last good release. The result of the gate stays a failure."""
    reason = f"{result.version} did not pass the gate: {result.reason}"
    request = PromotionRequest(
        mode="rollback", environment=inputs.environment, reason=reason, authorised=True
    )
    hub.forget()
    try:
        return gate_result.with_rollback_of(result, promote.for_app(request, inputs, context, settings))
    except Stop as stop:
        return gate_result.without_rollback(result, stop)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("staging-gate", StagingGate, main)
