"""chart-check: the chart as every environment will render it, judged by one rule after the other."""

from __future__ import annotations

import msgspec

from stagegate.chart.check import apply, facts, plan, registries, report, triggers
from stagegate.chart.check.request import CheckRequest, settings_for
from stagegate.gate import scenarios
from stagegate.model import Result
from stagegate.promotion import apps
from stagegate.release import version_files, work_tree
from stagegate.runner import log
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class ChartCheck(Inputs, frozen=True, kw_only=True):
    """Inputs of chart-check."""

    chart: str = ""
    values: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    image_tag_value: str = ""
    base: str = ""
    kube_version: str = ""
    fail_on: str = ""
    explain: str = ""
    strict: bool = False
    junit: str = ""
    sarif: str = ""
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: ChartCheck, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    if inputs.explain:
        return report.explained(inputs.explain)
    if deaf := triggers.problem(context):
        log.annotate("warning", deaf, title="chart-check: branch filter")
    request = requested(inputs)
    if not request.chart:
        inputs = apps.of_one(inputs, context)
    settings, own = settings_for(request, context, inputs.config)
    scenarios.check_files(settings, context)
    files = apply.report_files(context, junit=inputs.junit, sarif=inputs.sarif)
    versions = work_tree.file_versions(settings, context, lenient=True)
    wrong = version_files.disagreements(versions, versions[0].version) if versions else ()
    known = facts.read(
        settings,
        own,
        facts.Checkout(context.workspace, context.repository),
        registries.logins(settings, inputs.registry_username, inputs.registry_password),
        msgspec.structs.replace(request, version_files=wrong),
        registries.of_base(request.base, settings, inputs.registry_username, inputs.registry_password),
    )
    checked = plan.plan(known)
    changes = apply.write(known, checked, files, dry_run=inputs.dry_run)
    return report.result(known, checked, changes, dry_run=inputs.dry_run, summary=bool(context.summary_file))


def requested(inputs: ChartCheck) -> CheckRequest:
    """The inputs that say which chart is judged, and how."""
    names = set(CheckRequest.__struct_fields__) - {"version_files"}
    return CheckRequest(**{name: getattr(inputs, name) for name in names})


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("chart-check", ChartCheck, main)
