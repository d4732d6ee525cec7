"""Proposes settings for each app of a repository. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import msgspec

from stagegate.argocd_app.tree import Tree
from stagegate.setup import (
    app_names,
    charts,
    environments,
    existing_settings,
    placement,
    propose_chart,
    propose_environments,
    versioned,
)
from stagegate.setup import apps as grouping
from stagegate.setup.apps import DetectedApp
from stagegate.setup.placement import ExistingEnvironment
from stagegate.setup.proposed import AppProposal, EnvironmentProposal, Wish, pin_files
from stagegate.setup.survey import Survey


def propose(survey: Survey, tree: Tree, wish: Wish) -> tuple[AppProposal, ...]:
    """A proposal for each app of the repository; none without a chart or image of its owner."""
    apps = grouping.find(survey, wish.images) or (_of_code(survey, wish) if wish.policy else ())
    apps = existing_settings.named(apps, survey)
    names = {word for app in apps for word in (app.name, *map(app_names.last, (*app.images, app.chart_name)))}
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
    title = app_names.slug(survey.repository.partition("/")[2] or "apps")

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
    name = app_names.slug(survey.repository.partition("/")[2] or "app")
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
    reading = propose_chart.settings_for_reading(app, registry, source or survey.repository, tag_value)
    placed = () if wish.policy else placement.find(app, reading, survey, tree, words)
    notes: list[str] = []
    config = _config(app, several, placed, survey)
    places = propose_environments.of(app, placed, wish, config, notes)
    for reference in app.references:
        if reference.by == "Chart" and not any(reference.file in pin_files(place.pins) for place in placed):
            notes.append(
                f"{reference.file} has {app_names.last(reference.name)} {reference.version} for "
                "every environment, so no promotion changes this version. Give each environment "
                "its own umbrella chart, or change the version by hand."
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
        chart_path=propose_chart.path(app),
        chart_name=propose_chart.name(app),
        chart_repository=propose_chart.repository(app, registry),
        chart_reference=f"oci://{app.chart_name}" if app.shared and propose_chart.is_oci(app) else "",
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
