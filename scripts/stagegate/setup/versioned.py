"""Detects the version files, the running version and the tag forms of an app. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.setup.apps import DetectedApp
from stagegate.setup.placement import ExistingEnvironment
from stagegate.setup.survey import VERSION_FILES, Survey

_SEMVER = re.compile(r"v?(\d+\.\d+\.\d+)(?:[-+].*)?")


def files(app: DetectedApp, survey: Survey, several: bool) -> tuple[str, ...]:
    """The version files in the app's folder (the root for a single app), and its Chart.yaml."""
    folder = app.folder if several else ""
    paths = [path for path in survey.version_files if posixpath.dirname(path) == folder]
    order = {name: index for index, name in enumerate(VERSION_FILES)}
    paths.sort(key=lambda path: order[PurePosixPath(path).name])
    if app.chart is not None:
        paths.append(posixpath.normpath(f"{app.chart.path}/Chart.yaml"))
    return tuple(paths)


def running(app: DetectedApp, placed: Sequence[ExistingEnvironment], tree: Tree, files: Sequence[str]) -> str:
    """The running version: from a pin, else from the VERSION file or the chart."""
    for environment in reversed(placed):
        if match := _SEMVER.fullmatch(environment.version):
            return match[1]
    for file in files:
        if PurePosixPath(file).name == "VERSION":
            text = (tree.file(file) or b"").decode("utf-8", "replace").strip()
            if match := _SEMVER.fullmatch(text):
                return match[1]
    return app.chart.version if app.chart and _SEMVER.fullmatch(app.chart.version) else ""


def image_tag(app: DetectedApp, placed: Sequence[ExistingEnvironment], survey: Survey) -> str:
    """The form of the app's image tags: as in its pins, else in values, else in the chart's default."""
    values = [environment.value for environment in placed if environment.value]
    values += [reference.version for reference in app.references if reference.kind == "image"]
    values += [re.sub(r"\{\{.*?\}\}", "1.0.0", value) for _, value in _parameters(app, survey)]
    for value in values:
        if re.match(r"v\d+\.\d+\.\d+", value):
            return "v{version}"
        if re.match(r"\d+\.\d+\.\d+", value):
            return "{version}"
    return (app.chart.default_tag if app.chart else "") or "v{version}"


def tag_prefix(app: DetectedApp, several: bool, survey: Survey) -> str:
    """The prefix of Git tags before the version, as in existing tags."""
    if several:
        for prefix in (f"{app.name}-v", f"{app.name}/v", f"{app.name}-", f"{app.name}/"):
            if any(re.match(rf"{re.escape(prefix)}\d", tag) for tag in survey.tags):
                return prefix
        return f"{app.name}-v"
    if any(re.match(r"v\d", tag) for tag in survey.tags):
        return "v"
    return "" if any(re.match(r"\d+\.\d+\.\d+", tag) for tag in survey.tags) else "v"


def tag_value(app: DetectedApp, survey: Survey) -> str:
    """The value with the image tag: that of the chart, else the parameter that the Applications set."""
    if app.chart is not None:
        return app.chart.tag_value
    return next((name for name, _ in _parameters(app, survey)), "")


def _parameters(app: DetectedApp, survey: Survey) -> Iterator[tuple[str, str]]:
    """Parameters of the app's Applications with the name of an image tag, and their values."""
    names = {parameter.application for parameter in app.references if parameter.kind in ("chart", "git")}
    for document in survey.documents:
        if not document.is_argocd or document.kind not in ("Application", "ApplicationSet"):
            continue
        application = (
            document.content
            if document.kind == "Application"
            else mapping(mapping(document.content.get("spec")).get("template"))
        )
        if str(mapping(application.get("metadata")).get("name") or "") not in names:
            continue
        for source in sources.of(application):
            for parameter in items(source.options("helm").get("parameters")):
                name, value = (
                    str(mapping(parameter).get("name") or ""),
                    str(mapping(parameter).get("value") or ""),
                )
                if re.fullmatch(r"(?:[\w.-]+\.)?(?:image\.?tag|tag)", name, re.IGNORECASE):
                    yield name, value
