"""chart-check: the chart as every environment will render it, judged by one rule after the other."""

from __future__ import annotations

import msgspec

from stagegate import settings as settings_file
from stagegate.chart import source
from stagegate.chart.check import apply, facts, plan, telling
from stagegate.clients.registry import Registry, credentials
from stagegate.errors import Stop
from stagegate.model import Finding, Result
from stagegate.release import version_files
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.settings import ChartSettings, Settings


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
        return Result(
            reason="reported", message=telling.explained(inputs.explain), outputs={"findings": "[]"}
        )
    settings, own = wanted(inputs, context)
    asked = [
        apply.Asked(kind, context.inside(name, what=kind), name)
        for kind, name in (("junit", inputs.junit), ("sarif", inputs.sarif))
        if name
    ]
    login = credentials.given(inputs.registry_username, inputs.registry_password)
    hosts = settings.registry_hosts
    registry = Registry(hosts, username=inputs.registry_username, password=inputs.registry_password)
    known = facts.read(
        settings,
        own,
        facts.Checkout(context.workspace, context.repository),
        dict.fromkeys(hosts, login) if login else {},
        facts.Wishes(
            values=inputs.values,
            base=inputs.base,
            kube_version=inputs.kube_version.removeprefix("v"),
            strict=inputs.strict,
            version_files=version_findings(settings, context),
        ),
        registry if inputs.base.startswith("oci://") else None,
    )
    checked = plan.plan(known)
    changes = apply.write(known, checked, asked, dry_run=inputs.dry_run)
    telling.annotate(checked)
    return telling.result(known, checked, changes, dry_run=inputs.dry_run)


def wanted(inputs: ChartCheck, context: Context) -> tuple[Settings, ChartSettings]:
    """The settings with what the inputs replace; `chart` alone is enough. Stop(bad-settings) without a chart."""
    file = context.inside(inputs.config, what="config")
    if inputs.chart and not file.is_file():
        path = inputs.chart.rstrip("/")
        chart = source.read(context.inside(path, what="chart"), path, lenient=True)
        settings = Settings(app=chart.name, chart=ChartSettings(path=path, name=chart.name))
        settings = msgspec.structs.replace(
            settings, version=msgspec.structs.replace(settings.version, files=())
        )
    else:
        settings = settings_file.load(file, inputs.config)
    own = settings.own_chart
    if inputs.chart and own is None:
        own = ChartSettings()
    if own is None:
        raise Stop(
            "bad-settings",
            f"{inputs.config} names no chart of this repository.",
            "chart-check checks the templates under `chart.path`, and there is none.",
            "Write `chart.path`, give the input `chart`, or leave this step out.",
            file=inputs.config,
        )
    other = inputs.chart.rstrip("/")
    if other and other != own.path:
        own = msgspec.structs.replace(own, path=other, name="")
    fail_on = inputs.fail_on or own.checks.fail_on
    if fail_on not in ("error", "warning", "note"):
        raise Stop(
            "bad-input", f"fail-on is {fail_on!r}.", "It must be error, warning or note.", "Correct it."
        )
    own = msgspec.structs.replace(
        own,
        image_tag_value=inputs.image_tag_value or own.image_tag_value,
        checks=msgspec.structs.replace(own.checks, fail_on=fail_on),
    )
    return msgspec.structs.replace(settings, chart=own, images=inputs.image or settings.images), own


def version_findings(settings: Settings, context: Context) -> tuple[Finding, ...]:
    """Files that hold another version than the first one."""
    places = settings.version.places
    paths = {place.file: context.inside(place.file, what="version.files") for place in places}
    held = version_files.read_all(
        tuple(place for place in places if paths[place.file].is_file()),
        {file: path.read_bytes() for file, path in paths.items() if path.is_file()},
    )
    return version_files.disagreements(held, held[0].version) if held else ()


def run() -> int:
    """The exit code of this action, run with the inputs of its environment or command line."""
    return entrypoint("chart-check", ChartCheck, main)
