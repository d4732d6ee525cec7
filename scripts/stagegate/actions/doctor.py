"""doctor: finds what will break before the first use, each finding with the command that fixes it."""

from __future__ import annotations

from stagegate.model import Result
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.setup import work_tree
from stagegate.setup.doctor import ask, diagnosis, report
from stagegate.setup.doctor.ask import Access


class Doctor(Inputs, frozen=True, kw_only=True):
    """Inputs of doctor."""

    registry_username: str = ""
    registry_password: str = ""
    argocd_server: str = ""
    argocd_token: str = ""
    argocd_headers: str = ""
    argocd_ca: str = ""
    offline: bool = False


def main(inputs: Doctor, context: Context) -> Result:
    """Inputs -> facts -> plan -> report; nothing is written."""
    context.inside(inputs.config, what="config")
    tree = work_tree.read(context.workspace, context.repository)
    facts, calls = ask.read_all(tree, inputs.config, requested(inputs), context)
    findings, not_checked = diagnosis.findings(facts), diagnosis.not_checked(facts)
    report.show(findings, not_checked)
    return report.result(findings, not_checked, [settings.app for _, settings in facts.valid], calls)


def requested(inputs: Doctor) -> Access:
    """The inputs for the services to read, with their credentials."""
    return Access(**{name: getattr(inputs, name) for name in Access.__struct_fields__})


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("doctor", Doctor, main)
