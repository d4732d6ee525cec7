"""Detects the apps of a repository: charts and images of its owner, grouped by common releases. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate.setup import app_names, code_folder, owned
from stagegate.setup.charts import DetectedChart
from stagegate.setup.references import NamedReference
from stagegate.setup.survey import Survey


class DetectedApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app that init detected.

    `images` are its repositories, `chart` its own chart here, `chart_name` the chart in a registry as
    `host/path/name` (its own or shared), `shared` whether other apps run in that chart too. `references` are the
    places that name any of these. `folder` is where its code is, empty for the whole repository.
    """

    name: str
    images: tuple[str, ...]
    references: tuple[NamedReference, ...]
    chart: DetectedChart | None = None
    chart_name: str = ""
    shared: bool = False
    folder: str = ""


def find(survey: Survey, images: Sequence[str] = ()) -> tuple[DetectedApp, ...]:
    """The apps, sorted by name. `images` are first-party images that do not have the owner's name."""
    own_references = owned.references(survey, images)
    used: set[str] = set()
    apps = [
        *_of_own_charts(survey, own_references, used, images),
        *_of_registry_charts(survey, own_references, used),
    ]
    apps += _of_images(
        survey,
        [
            reference
            for reference in own_references
            if reference.kind == "image" and reference.name not in used
        ],
    )
    several = len(apps) > 1
    placed = (msgspec.structs.replace(app, folder=_folder(survey, app) if several else "") for app in apps)
    return tuple(sorted(placed, key=lambda app: app.name))


def _of_own_charts(
    survey: Survey, own_references: Sequence[NamedReference], used: set[str], images: Sequence[str]
) -> list[DetectedApp]:
    apps = []
    own_charts = [chart for chart in survey.charts if chart.kind == "app"]
    for chart in own_charts:
        subcharts = [
            subchart
            for subchart in survey.charts
            if subchart.kind == "part" and subchart.path.startswith(f"{chart.path}/")
        ]
        named = [
            reference.name
            for reference in (*chart.images, *(i for subchart in subcharts for i in subchart.images))
        ]
        mine = [
            name for name in dict.fromkeys(named) if name in {reference.name for reference in own_references}
        ]
        if not mine and images and len(own_charts) == 1:
            mine = list(images)
        # Charts of `helm create` use nginx, so the app has an image of its own name.
        mine = mine or [f"{registry(survey, own_references)}/{app_names.slug(chart.name)}"]
        name = app_names.slug(chart.name)
        chart_refs = [
            reference
            for reference in survey.references
            if reference.kind == "chart" and app_names.last(reference.name) == chart.name
        ]
        published = next((reference.name for reference in chart_refs if "/" in reference.name), "")
        refs = _about(survey, mine, published) + [
            reference
            for reference in survey.references
            if reference.kind == "git" and reference.path == chart.path
        ]
        used |= {*mine, *([published] if published else [])}
        apps.append(
            DetectedApp(
                name=name, images=tuple(mine), references=tuple(refs), chart=chart, chart_name=published
            )
        )
    return apps


def _of_registry_charts(
    survey: Survey, own_references: Sequence[NamedReference], used: set[str]
) -> list[DetectedApp]:
    """Apps with a chart in a registry: one for each chart, or one for each image that shares a chart."""
    apps: list[DetectedApp] = []
    for name in dict.fromkeys(reference.name for reference in own_references if reference.kind == "chart"):
        if name in used:
            continue
        used.add(name)
        refs = [
            reference
            for reference in survey.references
            if reference.kind == "chart" and reference.name == name
        ]
        beside = _images_beside(own_references, refs)
        bases = {
            app_names.without_environment(reference.application)
            for reference in refs
            if reference.application
        }
        if len(bases) > 1 and len(set(beside.values())) > 1:
            used |= {image for images in beside.values() for image in images}
            for images in dict.fromkeys(beside.values()):
                app = app_names.slug(app_names.last(images[0]))
                apps.append(
                    DetectedApp(
                        name=app,
                        images=images,
                        references=tuple(_about(survey, images, "")),
                        chart_name=name,
                        shared=True,
                    )
                )
            continue
        mine = tuple(dict.fromkeys(image for images in beside.values() for image in images))
        mine = mine or tuple(
            dict.fromkeys(
                i.name
                for i in own_references
                if i.kind == "image" and app_names.belongs(app_names.last(i.name), app_names.last(name))
            )
        )
        used |= set(mine)
        mine = mine or (f"{registry(survey, own_references)}/{app_names.slug(app_names.last(name))}",)
        apps.append(
            DetectedApp(
                name=app_names.slug(app_names.last(name)),
                images=mine,
                references=tuple(_about(survey, mine, name)),
                chart_name=name,
            )
        )
    return apps


def _images_beside(
    own_references: Sequence[NamedReference], refs: Sequence[NamedReference]
) -> dict[str, tuple[str, ...]]:
    """For each Application (or file) that names a chart, the images in it."""
    by_folder: dict[str, tuple[str, ...]] = {}
    for ref in refs:
        images = [
            reference.name
            for reference in own_references
            if reference.kind == "image"
            and reference.file == ref.file
            and reference.application == ref.application
        ]
        if images:
            by_folder[f"{ref.file} {ref.application}"] = tuple(dict.fromkeys(images))
    return by_folder


def _of_images(survey: Survey, unused: Sequence[NamedReference]) -> list[DetectedApp]:
    """Apps without a chart: images that always occur together with the same version are one app."""
    places: dict[str, set[tuple[str, str]]] = {}
    for reference in unused:
        places.setdefault(reference.name, set()).add((reference.file, reference.version))
    groups: dict[object, list[str]] = {}
    for name, images in places.items():
        has_folder = any(PurePosixPath(folder).name == app_names.last(name) for folder in survey.code)
        units = {app_names.unit(file, app_names.last(name)) for file, _ in images}
        key = name if has_folder or len(units) > 1 else (frozenset(images))
        groups.setdefault(key, []).append(name)
    apps = []
    for names in groups.values():
        title = app_names.common(names, survey.repository.partition("/")[2])
        apps.append(DetectedApp(name=title, images=tuple(names), references=tuple(_about(survey, names, ""))))
    return apps


def _about(survey: Survey, images: Iterable[str], chart: str) -> list[NamedReference]:
    names = {*images}
    names |= {
        reference.instead_of
        for reference in survey.references
        if reference.name in names and reference.instead_of
    }
    return [
        reference
        for reference in survey.references
        if (reference.kind == "image" and reference.name in names)
        or (reference.kind == "chart" and chart and reference.name == chart)
    ]


def registry(survey: Survey, own_references: Sequence[NamedReference] = ()) -> str:
    """`host/owner` for the repository's images: that of images it names, else GHCR with its owner."""
    for reference in own_references:
        if reference.kind == "image" and reference.name.count("/") > 1:
            return reference.name.rpartition("/")[0]
    for reference in own_references:
        if reference.kind == "chart" and "/" in reference.name:
            return re.sub(r"/(?:helm-)?charts?$", "", reference.name.rpartition("/")[0])
    return f"ghcr.io/{survey.owner.lower() or 'acme'}"


def _folder(survey: Survey, app: DetectedApp) -> str:
    return code_folder.of_app(survey.code, app.name, [*map(app_names.last, app.images)], app.chart)
