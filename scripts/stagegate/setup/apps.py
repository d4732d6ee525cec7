"""Which apps a repository has: charts and images of its owner, grouped by what is released together. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate.setup import environments, owned
from stagegate.setup.charts import FoundChart
from stagegate.setup.references import NamedReference
from stagegate.setup.survey import Survey


class FoundApp(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is released as one.

    `images` are its repositories, `chart` its own chart here, `chart_name` the chart in a registry as
    `host/path/name` (its own or shared), `shared` whether other apps run in that chart too. `references` are the
    places that name any of these. `folder` is where its code is, empty for the whole repository.
    """

    name: str
    images: tuple[str, ...]
    references: tuple[NamedReference, ...]
    chart: FoundChart | None = None
    chart_name: str = ""
    shared: bool = False
    folder: str = ""


def find(survey: Survey, images: Sequence[str] = ()) -> tuple[FoundApp, ...]:
    """The apps, by name. `images`: the first-party images, where the owner's name does not tell them."""
    ours = owned.references(survey, images)
    used: set[str] = set()
    apps = [
        *_of_own_charts(survey, ours, used, images),
        *_of_registry_charts(survey, ours, used),
    ]
    apps += _of_images(survey, [one for one in ours if one.kind == "image" and one.name not in used])
    several = len(apps) > 1
    placed = (msgspec.structs.replace(app, folder=_folder(survey, app) if several else "") for app in apps)
    return tuple(sorted(placed, key=lambda app: app.name))


def slug(text: str) -> str:
    """A text as the name of an app."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63] or "app"


def _of_own_charts(
    survey: Survey, ours: Sequence[NamedReference], used: set[str], images: Sequence[str]
) -> list[FoundApp]:
    apps = []
    own = [chart for chart in survey.charts if chart.kind == "app"]
    for chart in own:
        parts = [
            part for part in survey.charts if part.kind == "part" and part.path.startswith(f"{chart.path}/")
        ]
        named = [one.name for one in (*chart.images, *(i for part in parts for i in part.images))]
        mine = [name for name in dict.fromkeys(named) if name in {one.name for one in ours}]
        if not mine and images and len(own) == 1:
            mine = list(images)
        # helm create names nginx: the image of the app is the one that is built here.
        mine = mine or [f"{registry(survey, ours)}/{slug(chart.name)}"]
        name = slug(chart.name)
        chart_refs = [
            one for one in survey.references if one.kind == "chart" and _last(one.name) == chart.name
        ]
        published = next((one.name for one in chart_refs if "/" in one.name), "")
        refs = _about(survey, mine, published) + [
            one for one in survey.references if one.kind == "git" and one.path == chart.path
        ]
        used |= {*mine, *([published] if published else [])}
        apps.append(
            FoundApp(name=name, images=tuple(mine), references=tuple(refs), chart=chart, chart_name=published)
        )
    return apps


def _of_registry_charts(survey: Survey, ours: Sequence[NamedReference], used: set[str]) -> list[FoundApp]:
    """Apps whose chart lies in a registry: one for each chart, or one for each image where a chart is shared."""
    apps: list[FoundApp] = []
    for name in dict.fromkeys(one.name for one in ours if one.kind == "chart"):
        if name in used:
            continue
        used.add(name)
        refs = [one for one in survey.references if one.kind == "chart" and one.name == name]
        beside = _images_beside(ours, refs)
        bases = {_base_name(one.application) for one in refs if one.application}
        if len(bases) > 1 and len(set(beside.values())) > 1:
            used |= {image for images in beside.values() for image in images}
            for images in dict.fromkeys(beside.values()):
                app = slug(_last(images[0]))
                apps.append(
                    FoundApp(
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
            dict.fromkeys(i.name for i in ours if i.kind == "image" and _belongs(_last(i.name), _last(name)))
        )
        used |= set(mine)
        mine = mine or (f"{registry(survey, ours)}/{slug(_last(name))}",)
        apps.append(
            FoundApp(
                name=slug(_last(name)),
                images=mine,
                references=tuple(_about(survey, mine, name)),
                chart_name=name,
            )
        )
    return apps


def _images_beside(
    ours: Sequence[NamedReference], refs: Sequence[NamedReference]
) -> dict[str, tuple[str, ...]]:
    """For each Application (or folder) that names a chart, the images that stand in it."""
    by_folder: dict[str, tuple[str, ...]] = {}
    for ref in refs:
        images = [
            one.name
            for one in ours
            if one.kind == "image" and one.file == ref.file and one.application == ref.application
        ]
        if images:
            by_folder[f"{ref.file} {ref.application}"] = tuple(dict.fromkeys(images))
    return by_folder


def _of_images(survey: Survey, left: Sequence[NamedReference]) -> list[FoundApp]:
    """Apps without a chart: images that always stand together with one version are one app."""
    places: dict[str, set[tuple[str, str]]] = {}
    for one in left:
        places.setdefault(one.name, set()).add((one.file, one.version))
    groups: dict[object, list[str]] = {}
    for name, images in places.items():
        own = any(PurePosixPath(folder).name == _last(name) for folder in survey.code)
        units = {_unit(file, _last(name)) for file, _ in images}
        key = name if own or len(units) > 1 else (frozenset(images))
        groups.setdefault(key, []).append(name)
    apps = []
    for names in groups.values():
        title = _common(names, survey.repository.partition("/")[2])
        apps.append(FoundApp(name=title, images=tuple(names), references=tuple(_about(survey, names, ""))))
    return apps


def _unit(file: str, image: str) -> str:
    """The folder of a file that belongs to an app, without the parts that mean environments."""
    parts = [part for part in PurePosixPath(file).parts[:-1] if not environments.of_name(part, (image,))]
    return "/".join(parts)


def _common(names: Sequence[str], repository: str) -> str:
    """The name of an app with several images: the shortest that all begin with, else that of the repository."""
    lasts = [_last(name) for name in names]
    shortest = min(lasts, key=len)
    if all(_belongs(last, shortest) for last in lasts):
        return slug(shortest)
    return slug(repository or shortest)


def _about(survey: Survey, images: Iterable[str], chart: str) -> list[NamedReference]:
    wanted = {*images}
    wanted |= {one.instead_of for one in survey.references if one.name in wanted and one.instead_of}
    return [
        one
        for one in survey.references
        if (one.kind == "image" and one.name in wanted)
        or (one.kind == "chart" and chart and one.name == chart)
    ]


def registry(survey: Survey, ours: Sequence[NamedReference] = ()) -> str:
    """`host/owner` where this repository's images go: as those that it names, else GHCR under its owner."""
    for one in ours:
        if one.kind == "image" and one.name.count("/") > 1:
            return one.name.rpartition("/")[0]
    for one in ours:
        if one.kind == "chart" and "/" in one.name:
            return re.sub(r"/(?:helm-)?charts?$", "", one.name.rpartition("/")[0])
    return f"ghcr.io/{survey.owner.lower() or 'acme'}"


def _folder(survey: Survey, app: FoundApp) -> str:
    """The folder with the app's code: the shortest that has its name, or holds its chart."""
    named = sorted(
        (
            prefix
            for folder in survey.code
            for prefix in _prefixes(folder)
            if PurePosixPath(prefix).name in {app.name, *map(_last, app.images)}
        ),
        key=lambda folder: (folder.count("/"), folder),
    )
    if named:
        return named[0]
    if app.chart is None:
        return ""
    above = posixpath.dirname(app.chart.path)
    return above if posixpath.basename(above) == app.name else app.chart.path


def _prefixes(folder: str) -> Iterable[str]:
    parts = PurePosixPath(folder).parts
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))


def _base_name(application: str) -> str:
    """The name of an Application without its environment."""
    kept = [word for word in re.split(r"[-_.]", application) if not environments.of_name(word)]
    return "-".join(kept)


def _belongs(name: str, app: str) -> bool:
    return name == app or name.startswith((f"{app}-", f"{app}_"))


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]
