"""The request to chart-check: the settings, with the values that inputs replace."""

from __future__ import annotations

import re

import msgspec

from stagegate import settings as settings_file
from stagegate.chart import source
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.patterns import pattern
from stagegate.runner.context import Context
from stagegate.settings import ChartSettings, Settings

_KUBERNETES = pattern(r"v?\d+\.\d+(?:\.\d+)?(?:[-+][0-9A-Za-z.+-]+)?", re.ASCII)


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of chart-check; the settings apply where they are empty.

    Each line of `values` is rendered like an environment. `base` is a chart folder of the work tree or an `oci://`
    reference, `version_files` are findings about version files.
    """

    chart: str = ""
    values: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    image_tag_value: str = ""
    base: str = ""
    kube_version: str = ""
    fail_on: str = ""
    strict: bool = False
    version_files: tuple[Finding, ...] = ()


def settings_for(request: CheckRequest, context: Context, config: str) -> tuple[Settings, ChartSettings]:
    """The settings with the inputs of the request; an input `chart` needs no settings file. Stop(bad-settings)."""
    _demand(request, context)
    file = context.inside(config, what="config")
    if request.chart and not file.is_file():
        settings = _without_file(request.chart.rstrip("/"), context)
    else:
        settings = settings_file.load(file, config)
    chart_settings = settings.own_chart or (ChartSettings() if request.chart else None)
    if chart_settings is None:
        raise Stop(
            "bad-settings",
            f"The settings in {config} name no chart of this repository.",
            "chart-check checks the templates under `chart.path`, which the settings do not have.",
            "Write `chart.path`, set the input `chart`, or leave this step out.",
            file=config,
        )
    chart_settings = _replaced(chart_settings, request)
    return msgspec.structs.replace(
        settings, chart=chart_settings, images=request.image or settings.images
    ), chart_settings


def _demand(request: CheckRequest, context: Context) -> None:
    """Stop(missing-file) for a missing chart, Stop(bad-input) for an invalid version of Kubernetes."""
    path = request.chart.rstrip("/")
    if path and not (context.inside(path, what="chart") / source.FILE).is_file():
        raise Stop(
            "missing-file",
            f"There is no {path}/{source.FILE}.",
            "The input `chart` names this folder.",
            "Correct the path, which is relative to the workspace.",
        )
    version = request.kube_version
    if version and not _KUBERNETES.fullmatch(version):
        raise Stop(
            "bad-input",
            f"kube-version is {version!r}.",
            "`kube-version` must be a version of Kubernetes.",
            "Write the version as in 1.33 or 1.33.2.",
        )


def _without_file(path: str, context: Context) -> Settings:
    """Settings for a chart in a repository without settings file."""
    chart = source.read(context.inside(path, what="chart"), path, lenient=True)
    settings = Settings(app=chart.name, chart=ChartSettings(path=path, name=chart.name))
    version = msgspec.structs.replace(settings.version, files=())
    return msgspec.structs.replace(settings, version=version)


def _replaced(chart_settings: ChartSettings, request: CheckRequest) -> ChartSettings:
    """The chart's settings with the inputs of the request. Stop(bad-input) for an unknown `fail-on`."""
    path = request.chart.rstrip("/")
    if path and path != chart_settings.path:
        chart_settings = msgspec.structs.replace(chart_settings, path=path, name="")
    fail_on = request.fail_on or chart_settings.checks.fail_on
    if fail_on not in ("error", "warning", "note"):
        raise Stop(
            "bad-input",
            f"fail-on is {fail_on!r}.",
            "`fail-on` must be error, warning or note.",
            "Correct it.",
        )
    return msgspec.structs.replace(
        chart_settings,
        image_tag_value=request.image_tag_value or chart_settings.image_tag_value,
        checks=msgspec.structs.replace(chart_settings.checks, fail_on=fail_on),
    )
