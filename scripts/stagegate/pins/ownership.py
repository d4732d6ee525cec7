"""Which fields are this app's: decided by the names in its settings, never by the form of a value."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from stagegate.argocd_app.same_repository import same_repository
from stagegate.settings import ChartSettings, Settings

_HUB = re.compile(r"^(?:(?:index\.|registry-1\.)?docker\.io/)(?:library/)?|^library/")


def is_our_chart(repository: str, name: str, settings: Settings) -> bool:
    """Whether `repoURL` (with or without oci://) and `chart` are the chart of the settings."""
    reference = _bare(settings.chart_reference)
    return bool(reference) and f"{_bare(repository)}/{name}".strip("/") == reference


def chart_name(settings: Settings) -> str:
    """The last part of the chart's reference, which is its name; nothing without a chart."""
    return settings.chart_reference.rpartition("/")[2]


def is_our_repository(url: str, settings: Settings) -> bool:
    """Whether a Git address is the app repository.

    Where neither `source` nor the place of the settings tells which that is, the address must have the app's
    name, or the path of one of its images.
    """
    if settings.source:
        return same_repository(url, settings.source_repository) == "ours"
    path = re.sub(r"\.git$|/+$", "", re.split(r"[/:]{1,3}", _bare(url).lower(), maxsplit=1)[-1])
    images = {image.partition("/")[2].lower() for image in settings.images}
    return path.rpartition("/")[2] == settings.app or path in images


def is_our_chart_folder(url: str, path: str, settings: Settings) -> bool:
    """Whether a Git source shows our chart's folder, in the app repository where `source` names it."""
    chart = settings.own_chart
    if chart is None or (settings.source and not is_our_repository(url, settings)):
        return False
    return PurePosixPath(path.strip("/") or ".") == PurePosixPath(chart.path)


def our_image(repository: str, settings: Settings) -> str:
    """The image of the settings that a repository is, in the settings' own spelling; nothing for another."""
    wanted = _HUB.sub("", repository)
    return next((image for image in settings.images if repository and _HUB.sub("", image) == wanted), "")


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
