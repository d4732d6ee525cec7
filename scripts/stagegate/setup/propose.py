"""Proposes settings for each app of a repository. Pure."""

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
from stagegate.setup.apps import DetectedApp
from stagegate.setup.placement import ExistingEnvironment
from stagegate.setup.proposed import AppProposal, EnvironmentProposal, Wish
from stagegate.setup.survey import Survey

DEFAULT_ENVIRONMENTS = ("staging", "prod")


def propose(survey: Survey, tree: Tree, wish: Wish) -> tuple[AppProposal, ...]:
    """A proposal for each app of the repository; none without a chart or image of its owner."""
    apps = grouping.find(survey, wish.images) or (_of_code(survey, wish) if wish.policy else ())
    apps = existing_settings.named(apps, survey)
    names = {word for app in apps for word in (app.name, *map(_last, (*app.images, app.chart_name)))}
    words = frozenset((names | {survey.repository.partition("/")[2]}) - {""})
    app_proposals = [_app(app, len(apps) > 1, survey, tree, wish, words) for app in apps]
    return _deployed_together(
        [proposal for proposal in app_proposals if proposal.environments or proposal.policy], survey
    )


def _deployed_together(proposals: Sequence[AppProposal], survey: Survey) -> tuple[AppProposal, ...]:
    """The proposals, with one Application for each folder that has the pins of several apps."""
    if any(document.is_argocd for document in survey.documents):
        return tuple(proposals)
    folders: dict[str, set[str]] = {}
    for proposal in proposals:
        for place in proposal.environments:
            folders.setdefault(_folder(place), set()).add(proposal.name)
    title = grouping.slug(survey.repository.partition("/")[2] or "apps")

    def named(place: EnvironmentProposal) -> EnvironmentProposal:
        if len(folders[_folder(place)]) < 2:
            return place
        return msgspec.structs.replace(place, applications=(f"{title}-{place.name}",))

    return tuple(
        msgspec.structs.replace(proposal, environments=tuple(named(place) for place in proposal.environments))
        for proposal in proposals
    )


def _folder(place: EnvironmentProposal) -> str:
    pin = place.pins[0]
    return posixpath.dirname(pin if isinstance(pin, str) else pin.file)


def _of_code(survey: Survey, wish: Wish) -> tuple[DetectedApp, ...]:
    """The app of a repository with code only: it has the repository's name and the requested image."""
    name = grouping.slug(survey.repository.partition("/")[2] or "app")
    images = wish.images or (f"{wish.registry or grouping.registry(survey)}/{name}",)
    return (DetectedApp(name=name, images=images, references=()),)


def _app(
    app: DetectedApp, several: bool, survey: Survey, tree: Tree, wish: Wish, words: environments.Words
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
    for reference in app.references:
        if reference.by == "Chart" and not any(reference.file in _files(place.pins) for place in placed):
            notes.append(
                f"{reference.file} has {_last(reference.name)} {reference.version} for every environment, so no "
                "promotion moves "
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


def _for_reading(app: DetectedApp, registry: str, source: str, tag_value: str) -> Settings:
    """Settings to read the pins with: the app's images and its chart."""
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


def _source(app: DetectedApp, survey: Survey, several: bool) -> str:
    """The repository with the app's code, if this one has none of it; else nothing."""
    if app.chart is not None or app.folder:
        return ""
    name = survey.repository.partition("/")[2]
    if survey.code and (not several or name == app.name):
        return ""
    owner = survey.owner or next((i.split("/")[1] for i in app.images if i.startswith("ghcr.io/")), "acme")
    return "" if name == app.name else f"{owner}/{app.name}"


def _config(app: DetectedApp, several: bool, placed: Sequence[ExistingEnvironment], survey: Survey) -> str:
    """The path of the settings: in the root for a single app, else in the folder of the app's code or pins."""
    if app.name in survey.settings:
        return survey.settings[app.name]
    if not several:
        return "stagegate.yaml"
    if app.folder:
        return f"{app.folder}/stagegate.yaml"
    for environment in placed:
        for pin in environment.pins:
            parts = PurePosixPath(pin if isinstance(pin, str) else pin.file).parts[:-1]
            if app.name in parts:
                return "/".join((*parts[: parts.index(app.name) + 1], "stagegate.yaml"))
    return f"apps/{app.name}/stagegate.yaml"


def _environments(
    app: DetectedApp, placed: Sequence[ExistingEnvironment], wish: Wish, config: str, notes: list[str]
) -> tuple[EnvironmentProposal, ...]:
    names = environments.in_order((*(wish.environments or ()), *(environment.name for environment in placed)))
    is_new = not names
    if app.chart is None:
        names = tuple(name for name in names if name in {environment.name for environment in placed})
    elif is_new:
        names = DEFAULT_ENVIRONMENTS
    existing = {environment.name: environment for environment in placed}
    proposals = []
    for name in names:
        detected = existing.get(name)
        after = environments.before(name, names)
        if detected is not None and detected.trouble and not detected.pins:
            notes.append(f"{app.name} in {name} was left out: {detected.trouble}")
            continue
        if detected is not None and not detected.exact:
            notes.append(
                f"{app.name} in {name} follows a branch or a range in {_files(detected.pins)}: write an exact "
                "version "
                "there, because a promotion can only replace an exact version."
            )
        if detected is not None and detected.generated and not detected.applications:
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
                after=tuple(
                    other for other in after if other in existing or is_new or other in wish.environments
                ),
                pins=detected.pins if detected else _new_pins(name, names, config),
                applications=(detected.applications if detected else ()) or (f"{app.name}-{name}",),
                parent=detected.parent if detected else f"{app.name}-root",
                direct=is_first,
                made=detected is None,
                exact=detected.exact if detected else True,
                value=detected.value if detected else "",
            )
        )
    return tuple(proposals)


def _new_pins(name: str, names: Sequence[str], config: str) -> tuple[str | PinSettings, ...]:
    """The Application that init writes for an environment.

    Environments with the same rank share an ApplicationSet.
    """
    alike = [other for other in names if environments.rank(other) == environments.rank(name)]
    folder = posixpath.join(posixpath.dirname(config), "deploy", "argocd")
    return (f"{folder}/{'clusters' if len(alike) > 1 else name}.yaml",)


def _chart_path(app: DetectedApp) -> str:
    if app.chart is not None:
        return app.chart.path
    return f"charts/{_last(app.chart_name)}" if app.chart_name and not app.shared and _is_oci(app) else ""


def _chart_name(app: DetectedApp) -> str:
    """The chart's name, if its folder has another name."""
    if app.chart is None or PurePosixPath(app.chart.path).name == app.chart.name:
        return ""
    return app.chart.name


def _chart_repository(app: DetectedApp, registry: str) -> str:
    if app.chart_name and not app.shared and _is_oci(app):
        return f"oci://{app.chart_name.rpartition('/')[0]}"
    return f"oci://{registry}/charts" if app.chart is not None else ""


def _is_oci(app: DetectedApp) -> bool:
    return app.chart_name.count("/") > 0


def _health(app: DetectedApp, survey: Survey) -> str:
    if app.chart is not None and app.chart.health:
        return app.chart.health
    folders = dict.fromkeys(
        unit(reference.file) for reference in app.references if reference.by != "Application"
    )
    health_paths = (charts.health_of(survey.documents, folder) for folder in folders if folder)
    return next((path for path in health_paths if path), "/")


def unit(file: str) -> str:
    """The folder of a file, without the parts that name environments and bases."""
    parts = [p for p in PurePosixPath(file).parts[:-1] if p not in ("base", "bases", "overlays", "envs")]
    return "/".join(part for part in parts if not environments.of_name(part))


def _dockerfile(app: DetectedApp, survey: Survey, several: bool) -> str:
    below = [path for path in survey.dockerfiles if not several or path.startswith(f"{app.folder}/")]
    return min(below, key=lambda path: (path.count("/"), path), default="")


def _files(pins: Sequence[str | PinSettings]) -> str:
    return ", ".join(pin if isinstance(pin, str) else pin.file for pin in pins)


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]
