"""Reads the facts for chart-check: the chart's files, and its rendering for every environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from stagegate import yaml_1_1
from stagegate.chart import dependencies, package, render, rules, source
from stagegate.chart.check import base as base_chart
from stagegate.chart.check import targets
from stagegate.chart.check.plan import ChartFacts
from stagegate.chart.check.render_setup import RenderSetup, kube_version
from stagegate.chart.check.rendering import start_all
from stagegate.chart.check.request import CheckRequest
from stagegate.chart.rule import CheckFacts
from stagegate.chart.source import ChartSource
from stagegate.model import digest_of
from stagegate.runner.workers import Workers
from stagegate.settings import ChartSettings, Settings

if TYPE_CHECKING:  # loaded only for checks with a registry
    from stagegate.clients.registry import Registry
    from stagegate.clients.registry.credentials import Credentials

_NAME = "probe-name"  # a DNS label, which is valid wherever a name is


class Checkout(NamedTuple):
    """The work tree and its repository (owner/name; empty: unknown)."""

    workspace: Path
    repository: str


def read(
    settings: Settings,
    chart_settings: ChartSettings,
    checkout: Checkout,
    logins: Mapping[str, Credentials],
    request: CheckRequest,
    registry: Registry | None = None,
) -> ChartFacts:
    """The facts about the chart in the work tree. A failed rendering is a finding for its environment.

    Stop(missing-file) without a chart or a lock, Stop(findings) when Chart.yaml cannot be read.
    """
    chart = source.read(
        checkout.workspace / chart_settings.path, chart_settings.path, chart_settings.name, lenient=True
    )
    with dependencies.complete(chart, checkout.workspace, logins) as complete_chart:
        return of_source(settings, chart_settings, complete_chart, checkout, request, registry)


def of_source(
    settings: Settings,
    chart_settings: ChartSettings,
    chart: ChartSource,
    checkout: Checkout,
    request: CheckRequest,
    registry: Registry | None = None,
) -> ChartFacts:
    """As `read`, for a chart whose dependencies are in place."""
    library = chart.metadata.get("type") == "library"
    render_targets = targets.of(settings, chart, checkout, request.values)
    version, tried = kube_version(chart, render_targets.renderings, request.kube_version.removeprefix("v"))
    probes = _probes(settings, chart_settings)
    trial = RenderSetup(
        chart=chart, kube_version=version, probes=probes, strict=request.strict, library=library, tried=tried
    )
    with Workers(render.AT_ONCE) as workers:
        wait_for_renderings = start_all(
            workers, trial, render_targets.renderings, own_is_secondary=render_targets.own_is_secondary
        )
        wait_for_base = workers.start(
            base_chart.read, request.base, checkout.workspace, registry, trial, render_targets.renderings
        )
        rules.all_rules()  # loaded while helm runs
        files = package.files(chart.folder, chart_settings.path)
        rendered, base = wait_for_renderings(), wait_for_base()
    facts = CheckFacts(
        path=chart_settings.path,
        name=chart.name,
        version=chart.version,
        metadata=chart.metadata,
        library=library,
        images=settings.images,
        image_tag_value=chart_settings.image_tag_value,
        release_tags=tuple(
            dict.fromkeys((f"{settings.version.tag_prefix}{chart.version}", chart.version, chart.app_version))
        ),
        image_tags=settings.image_tags(chart.version),
        checks=chart_settings.checks,
        packaged=frozenset(files),
        templates=trial.templates,
        texts=_texts(chart),
        values=_values(files.get("values.yaml", b"")),
        has_dependencies=bool(chart.dependencies) or (chart.folder / "charts").is_dir(),
        probes=probes,
        kube_version=version,
        content=_content(files) if base else "",
        base=base,
        published=bool(chart_settings.repository),
        version_files=request.version_files,
        rendered=(*render_targets.unreadable, *rendered),
    )
    return ChartFacts(app=settings.app, chart=facts, findings=render_targets.notes)


def _probes(settings: Settings, chart_settings: ChartSettings) -> dict[str, str]:
    """The text that replaces each probed value."""
    tag = settings.image_tags("0.0.0-probe")[-1]
    return {
        **dict.fromkeys(chart_settings.checks.follow, _NAME),
        **({chart_settings.image_tag_value: tag} if chart_settings.image_tag_value else {}),
    }


def _texts(chart: ChartSource) -> dict[str, str]:
    """Chart.yaml and the values files at the top of the chart."""
    return {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(chart.folder.glob("*.yaml"))
        if path.is_file() and (path.name == source.FILE or path.name.startswith("values"))
    }


def _values(content: bytes) -> Mapping[str, Any]:
    try:
        values = yaml_1_1.load_last(content)
    except (yaml.YAMLError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _content(files: Mapping[str, bytes]) -> str:
    """Digest of all files of the chart except Chart.yaml."""
    return digest_of({path: digest_of(data) for path, data in files.items() if path != source.FILE})
