"""The chart of an app whose own settings are in another repository, as the Applications here name it.

Only for editing by hand: a promotion reads the settings of `source` instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import ApplicationSource, items, mapping
from stagegate.settings import ChartSettings, Settings

_TAG = re.compile(r"(?:[\w.-]+\.)?image\.?tag", re.IGNORECASE)


def inferred(settings: Settings, files: Mapping[str, bytes | None]) -> Settings:
    """The settings with the one chart that the pins take from a registry of the app's images.

    Unchanged where the settings name a chart or have no `source`, and where no chart or more than one is named.
    """
    if not settings.source or settings.chart != "none":
        return settings
    by_place = {f"{one.address}/{one.chart}": one for one in _charts(settings, files)}
    if len(by_place) != 1:
        return settings
    (one,) = by_place.values()
    names = [
        str(mapping(parameter).get("name") or "")
        for parameter in items(one.options("helm").get("parameters"))
    ]
    chart = ChartSettings(
        path=f"charts/{one.chart}",
        repository=f"oci://{one.address.removeprefix('oci://')}",
        image_tag_value=next((name for name in names if _TAG.fullmatch(name)), ""),
    )
    return msgspec.structs.replace(settings, chart=chart)


def _charts(settings: Settings, files: Mapping[str, bytes | None]) -> Iterator[ApplicationSource]:
    """Charts of Applications in the pins, from hosts that the settings name."""
    for content in files.values():
        try:
            documents = yaml_1_1.load_all(content or b"")
        except (yaml.YAMLError, ValueError):
            continue  # the reader of pins says what is wrong with it
        for document in map(mapping, documents):
            if document.get("kind") != "Application":
                continue
            for one in sources.of(document):
                host = one.address.removeprefix("oci://").partition("/")[0]
                if one.kind == "registry" and one.chart and host in settings.registry_hosts:
                    yield one
