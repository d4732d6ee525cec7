"""record: writes the release record of a version that somebody else tagged, built and published."""

from __future__ import annotations

from stagegate.clients import hub, job_permissions
from stagegate.clients.registry import Registry
from stagegate.evidence import accepted
from stagegate.model import Result
from stagegate.promotion import apps
from stagegate.release.recorded import apply, facts, plan, report
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class RecordInputs(Inputs, frozen=True, kw_only=True):
    """Inputs of record."""

    version: str = ""
    digests: str = ""
    app_id: str = ""
    app_key: str = ""
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: RecordInputs, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    inputs, settings = apps.load_one(inputs, context)
    store = Registry(
        settings.registry_hosts, username=inputs.registry_username, password=inputs.registry_password
    )
    github = hub.as_app(context, inputs.token, inputs.app_id, inputs.app_key, job_permissions.RECORD)
    if not inputs.dry_run:
        accepted.demand_writer(github, settings, github)
    foreign = facts.read(settings, inputs.version, context.ref, inputs.digests, github, store)
    decision = plan.plan(settings.app, foreign)
    changes = (
        ()
        if inputs.dry_run
        else apply.apply(settings.app, foreign, decision, github, context.person, context.run_url)
    )
    return report.result(settings.app, foreign, decision, changes, github.calls, dry_run=inputs.dry_run)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("record", RecordInputs, main)
