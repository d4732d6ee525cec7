"""chart-check: the chart as every environment will render it, looked at by one rule after the other."""

from __future__ import annotations

from stagegate import settings as settings_file
from stagegate.chart.check import apply, facts, plan, telling
from stagegate.clients.registry import credentials
from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs


class ChartCheck(Inputs, frozen=True, kw_only=True):
    """Inputs of chart-check."""

    strict: bool = False
    junit: str = ""
    sarif: str = ""
    registry_username: str = ""
    registry_password: str = ""


def main(inputs: ChartCheck, context: Context) -> Result:
    """Inputs -> facts -> plan -> apply -> report."""
    settings = settings_file.load(context.inside(inputs.config, what="config"), inputs.config)
    own = settings.own_chart
    if own is None:
        raise Stop(
            "bad-settings",
            f"{inputs.config} names no chart of this repository.",
            "chart-check looks at the templates under `chart.path`, and there is none.",
            "Write `chart.path`, or leave this step out.",
            file=inputs.config,
        )
    asked = [
        apply.Asked(kind, context.inside(name, what=kind), name)
        for kind, name in (("junit", inputs.junit), ("sarif", inputs.sarif))
        if name
    ]
    login = credentials.given(inputs.registry_username, inputs.registry_password)
    logins = dict.fromkeys(settings.registry_hosts, login) if login else {}
    checkout = facts.Checkout(context.workspace, context.repository)
    known = facts.read(settings, own, checkout, logins, strict=inputs.strict)
    checked = plan.plan(known)
    changes = apply.write(known, checked, asked, dry_run=inputs.dry_run)
    telling.annotate(checked)
    return telling.result(known, checked, changes, dry_run=inputs.dry_run)


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("chart-check", ChartCheck, main)
