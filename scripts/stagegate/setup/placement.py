"""Finds the pins of an app's environments. Each file is read as a pin before it is proposed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from stagegate import pins
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.errors import Stop
from stagegate.settings import ArgoCDSettings, Environment, PinSettings, Settings
from stagegate.setup import cluster_sets, environments, references
from stagegate.setup.apps import DetectedApp
from stagegate.setup.cluster_sets import Candidate
from stagegate.setup.documents import Document
from stagegate.setup.references import NamedReference
from stagegate.setup.survey import Survey

ONLY = "prod"


class ExistingEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment that exists: its pins, its Applications, and the app of apps that applies them.

    `exact` is false where its pins name a range or a branch, so that no promotion can change them. `generated`: an
    ApplicationSet makes its Applications. `value` is the image tag as it is written there, `version` the version
    that runs. `trouble` is the error if no pin could be read.
    """

    name: str
    pins: tuple[str | PinSettings, ...]
    applications: tuple[str, ...] = ()
    parent: str = ""
    exact: bool = True
    generated: bool = False
    value: str = ""
    version: str = ""
    trouble: str = ""


def find(
    app: DetectedApp, settings: Settings, survey: Survey, tree: Tree, words: environments.Words
) -> tuple[ExistingEnvironment, ...]:
    """The environments of an app by rank. `settings` have its images and chart."""
    candidates = list(_candidates(app, survey, tree, words))
    if not any(environment.environment for environment in candidates):
        # Without any name of an environment, there is only one, which users work with.
        candidates = [msgspec.structs.replace(environment, environment=ONLY) for environment in candidates]
    candidates = [environment for environment in candidates if environment.environment]
    names = environments.in_order(environment.environment for environment in candidates)
    existing = []
    for name in names:
        mine = [environment for environment in candidates if environment.environment == name]
        existing.append(_placed(name, mine, settings, survey, tree, names))
    return tuple(environment for environment in existing if environment.pins or environment.trouble)


def _candidates(
    app: DetectedApp, survey: Survey, tree: Tree, words: environments.Words
) -> Iterator[Candidate]:
    """Every file that names the app, with its environment."""
    sets = [d for d in survey.documents if d.is_argocd and d.kind == "ApplicationSet"]
    of_sets = {d.file for d in sets}
    # The default values of a chart are not an environment.
    defaults = {
        posixpath.normpath(posixpath.join(chart.path, "values.yaml"))
        for chart in survey.charts
        if chart.kind == "app"
    }
    for reference in app.references:
        if reference.file in of_sets and reference.by == "ApplicationSet":
            document = next(d for d in sets if d.file == reference.file and _names(d, reference))
            yield from cluster_sets.of_set(document, tree, words)
            continue
        if app.chart is not None and reference.file in defaults:
            continue
        if reference.kind == "git" and not reference.version:
            continue  # follows a branch, so it is not a pin
        yield Candidate(
            environment=environment_of(reference, words),
            pin=reference.file,
            applications=(reference.application,) if reference.application else (),
        )
    yield from _overlays(app, survey, words)


def environment_of(reference: NamedReference, words: environments.Words) -> str:
    """The environment of a reference, by its Application, its file or its namespace."""
    return (
        environments.of_name(reference.application, words)
        or environments.of_path(reference.file, words)
        or environments.of_name(reference.namespace, words)
    )


def _names(document: Document, reference: NamedReference) -> bool:
    template = mapping(mapping(document.content.get("spec")).get("template"))
    return str(mapping(template.get("metadata")).get("name") or "") == reference.application


def _overlays(app: DetectedApp, survey: Survey, words: environments.Words) -> Iterator[Candidate]:
    """Kustomizations of environments that do not name the app, but build on one that does."""
    named = {
        posixpath.dirname(reference.file) for reference in app.references if reference.by != "Application"
    }
    own_files = {reference.file for reference in app.references}
    for document in survey.documents:
        if document.file not in survey.builds_on or document.file in own_files:
            continue
        place = environments.of_path(document.file, words)
        if place and not named.isdisjoint(survey.builds_on.get(document.file, ())):
            yield Candidate(environment=place, pin=PinSettings(file=document.file, add=True))


def _placed(
    name: str,
    candidates: Sequence[Candidate],
    settings: Settings,
    survey: Survey,
    tree: Tree,
    names: Sequence[str],
) -> ExistingEnvironment:
    """An environment with those candidates that can be read as pins."""
    applications = dict.fromkeys(application for c in candidates for application in c.applications)
    for candidate in candidates:
        applications |= dict.fromkeys(_deploying(_file(candidate.pin), survey))
    taken: list[str | PinSettings] = []
    floating: list[str | PinSettings] = []
    value, version, trouble = "", "", ""
    for pin in dict.fromkeys(candidate.pin for candidate in candidates):
        environment = Environment(
            name=name, pins=(pin,), argocd=ArgoCDSettings(applications=tuple(applications))
        )
        others = tuple(Environment(name=other) for other in names if other != name)
        tried = msgspec.structs.replace(settings, environments=(environment, *others))
        try:
            places = pins.read(pin, tree.file(_file(pin)) or b"", tried, environment).places
        except Stop as stop:
            trouble = trouble or f"{stop.what} {stop.why} {stop.next}"
            continue
        exact = [place for place in places if not place.moving]
        (taken if exact else floating).append(pin)
        value = value or next((_tag(p.value) for p in exact if p.role == "image-tag"), "")
        version = version or next((p.names["version"] for p in exact if "version" in p.names), "")
    chosen = tuple(taken or floating[:1])
    parents = {parent for pin in chosen for parent in _parents(_file(pin), survey)} - set(applications)
    return ExistingEnvironment(
        name=name,
        pins=chosen,
        applications=tuple(applications),
        parent=next(iter(sorted(parents)), "") if len(parents) == 1 else "",
        exact=bool(taken),
        generated=any(
            d.file == _file(pin) and d.kind == "ApplicationSet" for pin in chosen for d in survey.documents
        ),
        value=value,
        version=version,
        trouble="" if chosen else trouble,
    )


def _file(pin: str | PinSettings) -> str:
    return pin if isinstance(pin, str) else pin.file


def _tag(written: str) -> str:
    """The tag of a whole image reference; another text unchanged."""
    return references.image(written)[1] if "/" in written else written


def _deploying(file: str, survey: Survey) -> Iterator[str]:
    """Applications that deploy the folder of a pin, or use the file as values."""
    if any(d.file == file and d.is_argocd for d in survey.documents):
        return  # an Application is deployed by its parent
    folder = posixpath.dirname(file)
    named, by_folder = [], []
    for document in survey.documents:
        if not document.is_argocd or document.kind != "Application":
            continue
        for source in _sources(document):
            values = [str(value) for value in items(mapping(source.get("helm")).get("valueFiles"))]
            path = str(source.get("path") or "").strip("/")
            if any(_leads(value, path) == file for value in values):
                named.append(document.name)
            elif folder and path == folder:
                by_folder.append(document.name)
    yield from named or by_folder


def _leads(value: str, path: str) -> str:
    if value.startswith("$"):
        return value.partition("/")[2]
    return posixpath.normpath(posixpath.join(path, value)) if path else value


def _parents(file: str, survey: Survey) -> Iterator[str]:
    """Applications whose folder contains the file of another Application (an app of apps)."""
    is_application = any(d.file == file and d.is_argocd for d in survey.documents)
    for document in survey.documents if is_application else ():
        if document.is_argocd and document.kind == "Application" and document.file != file:
            for source in _sources(document):
                path = str(source.get("path") or "").strip("/")
                if path and file.startswith(f"{path}/"):
                    yield document.name


def _sources(document: Document) -> list[Any]:
    spec = mapping(document.content.get("spec"))
    return [mapping(source) for source in (items(spec.get("sources")) or [spec.get("source")])]
