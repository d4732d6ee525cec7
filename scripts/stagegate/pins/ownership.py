"""Which fields are this app's: decided by the names in its settings, never by what a value looks like."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from stagegate.argocd_app.same_repository import same_repository
from stagegate.settings import ChartSettings, Settings


def is_our_chart(repository: str, name: str, settings: Settings) -> bool:
    """Whether `repoURL` (with or without oci://) and `chart` are the chart of the settings."""
    reference = _bare(settings.chart_reference)
    return bool(reference) and f"{_bare(repository)}/{name}".strip("/") == reference


def is_our_repository(url: str, settings: Settings) -> bool:
    """Whether a Git address is the app repository that `source` names."""
    return bool(settings.source) and same_repository(url, settings.source_repository) == "ours"


def is_our_chart_folder(url: str, path: str, settings: Settings) -> bool:
    """Whether a Git source shows our chart's folder, in the app repository where `source` names it."""
    chart = settings.own_chart
    if chart is None or (settings.source and not is_our_repository(url, settings)):
        return False
    return PurePosixPath(path.strip("/") or ".") == PurePosixPath(chart.path)


def is_our_image(repository: str, settings: Settings) -> bool:
    """Whether an image repository, without tag or digest, is one of `images`."""
    return repository in settings.images


def is_our_source(url: str, chart: str, path: str, settings: Settings) -> bool:
    """Whether an Argo CD source shows our chart: from a Helm repository, as OCI, or as a folder in Git."""
    if chart or url.startswith("oci://"):
        return is_our_chart(url, chart, settings)
    return is_our_chart_folder(url, path, settings)


def image_tag_value(settings: Settings) -> str:
    """The chart value that holds the tag of all first-party images, or nothing."""
    return settings.chart.image_tag_value if isinstance(settings.chart, ChartSettings) else ""


def _bare(reference: str) -> str:
    return re.sub(r"^[a-z]+://", "", reference).strip("/")
