"""From what a repository contains to what stagegate.yaml should say: one proposal for each app. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate.argocd_app.tree import Tree
from stagegate.settings import ChartSettings, PinSettings, Settings
from stagegate.setup import apps as grouping
from stagegate.setup import charts, environments, existing_settings, placement, versioned
from stagegate.setup.apps import FoundApp
from stagegate.setup.placement import ExistingEnvironment
from stagegate.setup.proposed import AppProposal, EnvironmentProposal, Wish
from stagegate.setup.survey import Survey

DEFAULT_ENVIRONMENTS = ("staging", "prod")


def propose(survey: Survey, tree: Tree, wish: Wish) -> tuple[AppProposal, ...]:
    """A proposal for each app of the repository; none where it names neither chart nor image of its owner."""
    apps = grouping.find(survey, wish.images) or (_of_code(survey, wish) if wish.policy else ())
    apps = existing_settings.named(apps, survey)
    names = {word for app in apps for word in (app.name, *map(_last, (*app.images, app.chart_name)))}
    words = frozenset((names | {survey.repository.partition("/")[2]}) - {""})
    made = [_app(app, len(apps) > 1, survey, tree, wish, words) for app in apps]
    return _deployed_together([one for one in made if one.environments or one.policy], survey)


def _deployed_together(proposals: Sequence[AppProposal], survey: Survey) -> tuple[AppProposal, ...]:
    """The proposals; where one folder has the pins of several apps, one Application deploys it for all."""
    if any(document.is_argocd for document in survey.documents):
        return tuple(proposals)
    folders: dict[str, set[str]] = {}
    for one in proposals:
        for place in one.environments:
            folders.setdefault(_folder(place), set()).add(one.name)
    title = grouping.slug(survey.repository.partition("/")[2] or "apps")

    def named(place: EnvironmentProposal) -> EnvironmentProposal:
        if len(folders[_folder(place)]) < 2:
            return place
        return msgspec.structs.replace(place, applications=(f"{title}-{place.name}",))

    return tuple(
        msgspec.structs.replace(one, environments=tuple(named(place) for place in one.environments))
        for one in proposals
    )


def _folder(place: EnvironmentProposal) -> str:
    pin = place.pins[0]
    return posixpath.dirname(pin if isinstance(pin, str) else pin.file)


def _of_code(survey: Survey, wish: Wish) -> tuple[FoundApp, ...]:
    """The one app of a repository that only holds code: named after it, with the image that a person names."""
    name = grouping.slug(survey.repository.partition("/")[2] or "app")
    images = wish.images or (f"{wish.registry or grouping.registry(survey)}/{name}",)
    return (FoundApp(name=name, images=images, references=()),)


def _app(
    app: FoundApp, several: bool, survey: Survey, tree: Tree, wish: Wish, words: environments.Words
) -> AppProposal:
    source = wish.source or _source(app, survey, several)
    if several and wish.source:
        source = f"{wish.source.partition('/')[0]}/{app.name}" if wish.source.endswith("/*") else wish.source
    registry = wish.registry or (
        app.images[0].rpartition("/")[0] if app.images else grouping.registry(survey)
    )
    tag_value = versioned.tag_value(app, survey)
    reading = _for_reading(app, registry, source or survey.repository, tag_value)
    placed = () if wish.policy else placement.find(app, reading, survey, tree, words)
    notes: list[str] = []
    config = _config(app, several, placed, survey)
    places = _environments(app, placed, wish, config, notes)
    for one in app.references:
        if one.by == "Chart" and not any(one.file in _files(place.pins) for place in placed):
            notes.append(
                f"{one.file} has {_last(one.name)} {one.version} for every environment, so no promotion moves "
                "it. Give each environment an umbrella chart of its own, or change it by hand."
            )
    files = () if source else versioned.files(app, survey, several)
    form = wish.image_tag or versioned.image_tag(app, placed, survey)
    prefix = versioned.tag_prefix(app, several, survey)
    folder = posixpath.dirname(config)
    return AppProposal(
        name=app.name,
        config=config,
        several=several,
        source=source,
        policy=wish.policy,
        tag_prefix=prefix,
        image_tag=form,
        version=versioned.running(app, placed, tree, files),
        version_files=files,
        paths=(f"{app.folder}/**",) if several and app.folder and not source and app.folder != folder else (),
        images=app.images,
        chart_path=_chart_path(app),
        chart_name=_chart_name(app),
        chart_repository=_chart_repository(app, registry),
        chart_reference=f"oci://{app.chart_name}" if app.shared and _is_oci(app) else "",
        tag_value=tag_value,
        allow_images=app.chart.test_images if app.chart else (),
        environments=places,
        scenarios=posixpath.join("e2e", f"{app.name}.yaml") if not app.folder else f"{app.folder}/e2e.yaml",
        health=_health(app, survey),
        variable=f"{re.sub('[^A-Z0-9]+', '_', app.name.upper())}_URL",
        dockerfile=_dockerfile(app, survey, several),
        notes=tuple(notes),
        app=app,
        trusted_app=wish.app,
    )


def _for_reading(app: FoundApp, registry: str, source: str, tag_value: str) -> Settings:
    """Settings with which the pins are read: the app's images, and the chart that it publishes."""
    chart: ChartSettings | str = "none"
    if app.chart is not None or (app.chart_name and not app.shared):
        name = app.chart_name or f"{registry}/charts/{app.chart.name if app.chart else app.name}"
        chart = ChartSettings(
            path=app.chart.path if app.chart else f"charts/{_last(name)}",
            name=_last(name),
            repository=f"oci://{name.rpartition('/')[0]}",
            image_tag_value=tag_value,
        )
    elif app.chart_name:
        chart = ChartSettings(reference=f"oci://{app.chart_name}")
    return Settings(app=app.name, images=app.images, chart=chart, source=source)  # type: ignore[arg-type]


def _source(app: FoundApp, survey: Survey, several: bool) -> str:
    """The repository with the app's code, where this one has none of it; else nothing."""
    if app.chart is not None or app.folder:
        return ""
    name = survey.repository.partition("/")[2]
    if survey.code and (not several or name == app.name):
        return ""
    owner = survey.owner or next((i.split("/")[1] for i in app.images if i.startswith("ghcr.io/")), "acme")
    return "" if name == app.name else f"{owner}/{app.name}"


def _config(app: FoundApp, several: bool, placed: Sequence[ExistingEnvironment], survey: Survey) -> str:
    """Where the settings go: the root for one app; for many its own folder, that of its code or of its pins."""
    if app.name in survey.settings:
        return survey.settings[app.name]
    if not several:
        return "stagegate.yaml"
    if app.folder:
        return f"{app.folder}/stagegate.yaml"
    for one in placed:
        for pin in one.pins:
            parts = PurePosixPath(pin if isinstance(pin, str) else pin.file).parts[:-1]
            if app.name in parts:
                return "/".join((*parts[: parts.index(app.name) + 1], "stagegate.yaml"))
    return f"apps/{app.name}/stagegate.yaml"


def _environments(
    app: FoundApp, placed: Sequence[ExistingEnvironment], wish: Wish, config: str, notes: list[str]
) -> tuple[EnvironmentProposal, ...]:
    names = environments.in_order((*(wish.environments or ()), *(one.name for one in placed)))
    made = not names
    if app.chart is None:
        names = tuple(name for name in names if name in {one.name for one in placed})
    elif made:
        names = DEFAULT_ENVIRONMENTS
    known = {one.name: one for one in placed}
    proposals = []
    for name in names:
        one = known.get(name)
        after = environments.before(name, names)
        if one is not None and one.trouble and not one.pins:
            notes.append(f"{app.name} in {name} was left out: {one.trouble}")
            continue
        if one is not None and not one.exact:
            notes.append(
                f"{app.name} in {name} follows a branch or a range in {_files(one.pins)}: write an exact version "
                "there, because a promotion can only replace an exact version."
            )
        if one is not None and one.generated and not one.applications:
            notes.append(
                f"The Applications of {app.name} in {name} are named after clusters, which this repository "
                "does not list: correct `argocd.applications`."
            )
        if not environments.is_known(name):
            notes.append(
                f"The place of {name} among the environments is a guess: correct `after` of {app.name}."
            )
        is_first = not after and environments.rank(name) < environments.PRODUCTION
        proposals.append(
            EnvironmentProposal(
                name=name,
                after=tuple(other for other in after if other in known or made or other in wish.environments),
                pins=one.pins if one else _made_pins(name, names, config),
                applications=(one.applications if one else ()) or (f"{app.name}-{name}",),
                parent=one.parent if one else f"{app.name}-root",
                direct=is_first,
                made=one is None,
                exact=one.exact if one else True,
                value=one.value if one else "",
            )
        )
    return tuple(proposals)


def _made_pins(name: str, names: Sequence[str], config: str) -> tuple[str | PinSettings, ...]:
    """The Application that init writes for an environment; environments of one rank share an ApplicationSet."""
    alike = [other for other in names if environments.rank(other) == environments.rank(name)]
    folder = posixpath.join(posixpath.dirname(config), "deploy", "argocd")
    return (f"{folder}/{'clusters' if len(alike) > 1 else name}.yaml",)


def _chart_path(app: FoundApp) -> str:
    if app.chart is not None:
        return app.chart.path
    return f"charts/{_last(app.chart_name)}" if app.chart_name and not app.shared and _is_oci(app) else ""


def _chart_name(app: FoundApp) -> str:
    """The chart's name where its folder has another one."""
    if app.chart is None or PurePosixPath(app.chart.path).name == app.chart.name:
        return ""
    return app.chart.name


def _chart_repository(app: FoundApp, registry: str) -> str:
    if app.chart_name and not app.shared and _is_oci(app):
        return f"oci://{app.chart_name.rpartition('/')[0]}"
    return f"oci://{registry}/charts" if app.chart is not None else ""


def _is_oci(app: FoundApp) -> bool:
    return app.chart_name.count("/") > 0


def _health(app: FoundApp, survey: Survey) -> str:
    if app.chart is not None and app.chart.health:
        return app.chart.health
    folders = dict.fromkeys(unit(one.file) for one in app.references if one.by != "Application")
    health_paths = (charts.health_of(survey.documents, folder) for folder in folders if folder)
    return next((path for path in health_paths if path), "/")


def unit(file: str) -> str:
    """The folder of an app's manifests: without the parts that mean environments and bases."""
    parts = [p for p in PurePosixPath(file).parts[:-1] if p not in ("base", "bases", "overlays", "envs")]
    return "/".join(part for part in parts if not environments.of_name(part))


def _dockerfile(app: FoundApp, survey: Survey, several: bool) -> str:
    below = [path for path in survey.dockerfiles if not several or path.startswith(f"{app.folder}/")]
    return min(below, key=lambda path: (path.count("/"), path), default="")


def _files(pins: Sequence[str | PinSettings]) -> str:
    return ", ".join(pin if isinstance(pin, str) else pin.file for pin in pins)


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]
