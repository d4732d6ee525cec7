"""Proposes the settings of an app's chart. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from stagegate.settings import ChartSettings, Settings
from stagegate.setup.app_names import last
from stagegate.setup.apps import DetectedApp


def settings_for_reading(app: DetectedApp, registry: str, source: str, tag_value: str) -> Settings:
    """Settings to read the pins with: the app's images and its chart."""
    chart: ChartSettings | str = "none"
    if app.chart is not None or (app.chart_name and not app.shared):
        address = app.chart_name or f"{registry}/charts/{app.chart.name if app.chart else app.name}"
        chart = ChartSettings(
            path=app.chart.path if app.chart else f"charts/{last(address)}",
            name=last(address),
            repository=f"oci://{address.rpartition('/')[0]}",
            image_tag_value=tag_value,
        )
    elif app.chart_name:
        chart = ChartSettings(reference=f"oci://{app.chart_name}")
    return Settings(app=app.name, images=app.images, chart=chart, source=source)  # type: ignore[arg-type]


def path(app: DetectedApp) -> str:
    """The folder of the app's own chart, in the app's repository; empty without one."""
    if app.chart is not None:
        return app.chart.path
    return f"charts/{last(app.chart_name)}" if app.chart_name and not app.shared and is_oci(app) else ""


def name(app: DetectedApp) -> str:
    """The chart's name, if its folder has another name."""
    if app.chart is None or PurePosixPath(app.chart.path).name == app.chart.name:
        return ""
    return app.chart.name


def repository(app: DetectedApp, registry: str) -> str:
    """Where that chart is published, without its name."""
    if app.chart_name and not app.shared and is_oci(app):
        return f"oci://{app.chart_name.rpartition('/')[0]}"
    return f"oci://{registry}/charts" if app.chart is not None else ""


def is_oci(app: DetectedApp) -> bool:
    """Whether the chart of an app has an address in a registry."""
    return app.chart_name.count("/") > 0
