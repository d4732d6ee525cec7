"""Everything chart-check judges: the chart's files, and what it renders to in every environment."""

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

if TYPE_CHECKING:  # most charts are checked without a registry
    from stagegate.clients.registry import Registry
    from stagegate.clients.registry.credentials import Credentials

_NAME = "probe-name"  # a DNS label, so that it fits wherever a name does


class Checkout(NamedTuple):
    """The work tree, and which repository it is (owner/name; empty: any)."""

    workspace: Path
    repository: str


def read(
    settings: Settings,
    own: ChartSettings,
    checkout: Checkout,
    logins: Mapping[str, Credentials],
    request: CheckRequest,
    registry: Registry | None = None,
) -> ChartFacts:
    """The facts about the chart in the work tree; what does not render is a finding, for each environment.

    Stop(missing-file) without a chart or a lock, Stop(findings) when Chart.yaml cannot be read.
    """
    chart = source.read(checkout.workspace / own.path, own.path, own.name, lenient=True)
    with dependencies.complete(chart, checkout.workspace, logins) as whole:
        return of_source(settings, own, whole, checkout, request, registry)


def of_source(
    settings: Settings,
    own: ChartSettings,
    chart: ChartSource,
    checkout: Checkout,
    request: CheckRequest,
    registry: Registry | None = None,
) -> ChartFacts:
    """The same for a chart whose dependencies are in place."""
    library = chart.metadata.get("type") == "library"
    wanted = targets.of(settings, chart, checkout, request.values)
    version, tried = kube_version(chart, wanted.renderings, request.kube_version.removeprefix("v"))
    probes = _probes(settings, own)
    trial = RenderSetup(
        chart=chart, kube_version=version, probes=probes, strict=request.strict, library=library, tried=tried
    )
    with Workers(render.AT_ONCE) as workers:
        waiting = start_all(workers, trial, wanted.renderings, own_is_secondary=wanted.own_is_secondary)
        comparing = workers.start(
            base_chart.read, request.base, checkout.workspace, registry, trial, wanted.renderings
        )
        rules.all_rules()  # loaded while helm works
        files = package.files(chart.folder, own.path)
        rendered, compared = waiting(), comparing()
    facts = CheckFacts(
        path=own.path,
        name=chart.name,
        version=chart.version,
        metadata=chart.metadata,
        library=library,
        images=settings.images,
        image_tag_value=own.image_tag_value,
        release_tags=tuple(
            dict.fromkeys((f"{settings.version.tag_prefix}{chart.version}", chart.version, chart.app_version))
        ),
        image_tags=settings.image_tags(chart.version),
        checks=own.checks,
        packaged=frozenset(files),
        templates=trial.templates,
        texts=_texts(chart),
        values=_values(files.get("values.yaml", b"")),
        has_dependencies=bool(chart.dependencies) or (chart.folder / "charts").is_dir(),
        probes=probes,
        kube_version=version,
        content=_content(files) if compared else "",
        base=compared,
        published=bool(own.repository),
        version_files=request.version_files,
        rendered=(*wanted.unreadable, *rendered),
    )
    return ChartFacts(app=settings.app, chart=facts, findings=wanted.notes)


def _probes(settings: Settings, own: ChartSettings) -> dict[str, str]:
    """The text that replaces each probed value."""
    tag = settings.image_tags("0.0.0-probe")[-1]
    return {
        **dict.fromkeys(own.checks.follow, _NAME),
        **({own.image_tag_value: tag} if own.image_tag_value else {}),
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
    """Digest of everything in the chart but its version."""
    return digest_of({path: digest_of(data) for path, data in files.items() if path != source.FILE})
