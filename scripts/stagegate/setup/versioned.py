"""How an app's versions are written: files, Git tags, image tags. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from stagegate.argocd_app import sources
from stagegate.argocd_app.sources import items, mapping
from stagegate.argocd_app.tree import Tree
from stagegate.setup.apps import FoundApp
from stagegate.setup.placement import ExistingEnvironment
from stagegate.setup.survey import VERSION_FILES, Survey

_SEMVER = re.compile(r"v?(\d+\.\d+\.\d+)(?:[-+].*)?")


def files(app: FoundApp, survey: Survey, several: bool) -> tuple[str, ...]:
    """Version files of the app's folder (of the root for one app), and the one of its chart."""
    folder = app.folder if several else ""
    own = [path for path in survey.version_files if posixpath.dirname(path) == folder]
    order = {name: index for index, name in enumerate(VERSION_FILES)}
    own.sort(key=lambda path: order[PurePosixPath(path).name])
    if app.chart is not None:
        own.append(posixpath.normpath(f"{app.chart.path}/Chart.yaml"))
    return tuple(own)


def running(app: FoundApp, placed: Sequence[ExistingEnvironment], tree: Tree, files: Sequence[str]) -> str:
    """The version that runs now: of a pin, else of the newest tag, the VERSION file or the chart."""
    for one in reversed(placed):
        if match := _SEMVER.fullmatch(one.version):
            return match[1]
    for file in files:
        if PurePosixPath(file).name == "VERSION":
            text = (tree.file(file) or b"").decode("utf-8", "replace").strip()
            if match := _SEMVER.fullmatch(text):
                return match[1]
    return app.chart.version if app.chart and _SEMVER.fullmatch(app.chart.version) else ""


def image_tag(app: FoundApp, placed: Sequence[ExistingEnvironment], survey: Survey) -> str:
    """How image tags of the app are written: as its pins say, as its values say, as its chart asks by itself."""
    values = [one.value for one in placed if one.value]
    values += [one.version for one in app.references if one.kind == "image"]
    values += [re.sub(r"\{\{.*?\}\}", "1.0.0", value) for _, value in _parameters(app, survey)]
    for value in values:
        if re.match(r"v\d+\.\d+\.\d+", value):
            return "v{version}"
        if re.match(r"\d+\.\d+\.\d+", value):
            return "{version}"
    return (app.chart.default_tag if app.chart else "") or "v{version}"


def tag_prefix(app: FoundApp, several: bool, survey: Survey) -> str:
    """What a Git tag has before the version, as the tags that exist have it."""
    if several:
        for prefix in (f"{app.name}-v", f"{app.name}/v", f"{app.name}-", f"{app.name}/"):
            if any(re.match(rf"{re.escape(prefix)}\d", tag) for tag in survey.tags):
                return prefix
        return f"{app.name}-v"
    if any(re.match(r"v\d", tag) for tag in survey.tags):
        return "v"
    return "" if any(re.match(r"\d+\.\d+\.\d+", tag) for tag in survey.tags) else "v"


def tag_value(app: FoundApp, survey: Survey) -> str:
    """The value that holds the image tag: of the chart here, else the parameter that the Applications set."""
    if app.chart is not None:
        return app.chart.tag_value
    return next((name for name, _ in _parameters(app, survey)), "")


def _parameters(app: FoundApp, survey: Survey) -> Iterator[tuple[str, str]]:
    """Parameters of the app's Applications whose name says that they are an image tag, with their values."""
    names = {one.application for one in app.references if one.kind in ("chart", "git")}
    for document in survey.documents:
        if not document.is_argocd or document.kind not in ("Application", "ApplicationSet"):
            continue
        inner = (
            document.content
            if document.kind == "Application"
            else mapping(mapping(document.content.get("spec")).get("template"))
        )
        if str(mapping(inner.get("metadata")).get("name") or "") not in names:
            continue
        for source in sources.of(inner):
            for one in items(source.options("helm").get("parameters")):
                name, value = str(mapping(one).get("name") or ""), str(mapping(one).get("value") or "")
                if re.fullmatch(r"(?:[\w.-]+\.)?(?:image\.?tag|tag)", name, re.IGNORECASE):
                    yield name, value
