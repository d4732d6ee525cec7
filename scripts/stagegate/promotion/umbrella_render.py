"""Renders an Application whose chart in Git depends on ours, with our chart by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import sources
from stagegate.argocd_app.render_inputs import ChartPlace
from stagegate.argocd_app.same_repository import same_repository
from stagegate.argocd_app.sources import ApplicationSource, items, mapping
from stagegate.argocd_app.status import Application
from stagegate.argocd_app.tree import Tree
from stagegate.chart.objects import RenderedObject
from stagegate.clients.connections import Connections
from stagegate.clients.hub import Hub
from stagegate.difference import repositories
from stagegate.difference.manifests import application as manifests
from stagegate.difference.manifests.surroundings import Around, NotRendered
from stagegate.errors import Stop
from stagegate.gate.expected import same_version
from stagegate.model import Chart
from stagegate.pins import ownership
from stagegate.settings import Settings


def repository(connections: Connections, application: str, address: str) -> Hub:
    """The one of our repositories that an address may name. Stop(wrong-source) for another."""
    for side in (connections.app, connections.pins):
        if same_repository(address, side.repository) != "foreign":
            return side
    raise Stop(
        "wrong-source",
        f"The values of {application} are in {address}.",
        "That is neither the app's nor the pins' repository.",
        "Nothing to do.",
    )


def around(
    settings: Settings, released: Chart, archive: bytes, connections: Connections, application: Application
) -> Around:
    """Repositories at the revisions that Argo CD compared, and charts: of ours the `archive` of the release."""

    def tree(address: str, _: str) -> Tree:
        side = repository(connections, application.name, address)
        revision = next(one.revision for one in application.sources if one.repository == address)
        return repositories.tree_at(side, revision)

    def chart(wanted: ApplicationSource) -> bytes:
        if not ownership.is_our_chart(wanted.address, wanted.chart, settings):
            return repositories.chart_archive(connections.registry, wanted, settings)
        if not same_version(wanted.revision, released.version):
            raise NotRendered(
                f"it depends on {wanted.chart} {wanted.revision}, and not on {released.version}"
            )
        return archive

    return Around(tree=tree, chart=chart)


def is_umbrella(chart_file: bytes | None, settings: Settings) -> bool:
    """Whether a Chart.yaml depends on our chart."""
    try:
        listed = items(mapping(yaml_1_1.load(chart_file or b"")).get("dependencies"))
    except (yaml.YAMLError, ValueError):
        return False  # helm reports what is wrong with it
    return any(
        ownership.is_our_chart(str(one.get("repository") or ""), str(one.get("name") or ""), settings)
        for one in map(mapping, listed)
    )


def render(document: Mapping[str, Any], place: ChartPlace, around: Around) -> tuple[RenderedObject, ...]:
    """The objects of the umbrella chart. Stop where something in it cannot be rendered here."""
    source = next(one for one in sources.of(document) if one.index == place.index)
    try:
        return manifests.render_source(document, source, around)
    except NotRendered as reason:
        name = str(mapping(document.get("metadata")).get("name") or "")
        raise Stop(
            "wrong-source",
            f"{name} cannot be rendered: {reason}.",
            "Its chart is an umbrella.",
            "Nothing to do.",
        ) from reason
