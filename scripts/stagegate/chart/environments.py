"""Reads how environments render the chart: its Applications among the pins, with values of the work tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stagegate import inside, yaml_1_1
from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.inputs import RenderInputs
from stagegate.argocd_app.same_repository import same_repository
from stagegate.chart.source import ChartSource
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.settings import Settings


class EnvironmentRendering(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs with which one Application of an environment renders the chart."""

    environment: str
    application: str
    inputs: RenderInputs
    file: str = ""


class OtherRepository(Exception):
    """A values file is in another repository, which is not checked out."""


def pinned(settings: Settings, workspace: Path) -> Iterator[tuple[str, str]]:
    """Every environment with each file that it pins.

    A pattern is expanded to the matching files of the work tree.
    """
    files = [
        pin if isinstance(pin, str) else pin.file
        for environment in settings.environments
        for pin in environment.pins
    ]
    if any(set(file) & set("*?[{") for file in files):
        from stagegate.pins import files as pin_files  # loads all pin shapes, which few callers need

        listed = (path.relative_to(workspace).as_posix() for path in workspace.rglob("*") if path.is_file())
        settings = pin_files.expanded(settings, listed)
    for environment in settings.environments:
        for pin in environment.pins:
            yield environment.name, pin if isinstance(pin, str) else pin.file


def rendering(
    document: Mapping[str, Any],
    environment: str,
    file: str,
    chart: ChartSource,
    workspace: Path,
    repository: str,
) -> EnvironmentRendering | Finding:
    """The inputs of one Application for the chart, or a note when its values are in another repository.

    Stop(missing-file) for a values file that is missing in this work tree.
    """

    def read(url: str, revision: str, path: str) -> bytes | None:
        if repository and same_repository(url, repository) == "foreign":
            raise OtherRepository(f"{url} at {revision}")
        target = inside.file(workspace, path)
        return target.read_bytes() if target else None

    try:
        resolved = render_inputs.render_inputs(document, read, chart=chart.name)
    except OtherRepository as elsewhere:
        return _note(environment, file, str(elsewhere))
    return EnvironmentRendering(
        environment=environment, application=resolved.application, inputs=resolved.inputs, file=file
    )


def applications_of(workspace: Path, file: str, chart: str) -> Iterator[Mapping[str, Any]]:
    """Applications in a pin's file that have this chart as a source. Stop(missing-file), Stop(findings)."""
    path = inside.file(workspace, file)
    if path is None:
        raise Stop(
            "missing-file",
            f"There is no {file}.",
            "The settings list this file under `pins`.",
            "Check out the file, or correct `pins`.",
            file=file,
        )
    try:
        documents = yaml_1_1.load_all_last(path.read_bytes())
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise Stop(
            "findings",
            f"{file} is not YAML.",
            f"{getattr(error, 'problem', None) or 'It cannot be parsed'}.",
            "Correct it.",
            file=file,
            line=mark.line + 1 if mark else None,
        ) from error
    for document in documents:
        if render_inputs.is_application(document):
            places = render_inputs.places(document)
            if any(chart in (place.name, place.path.rpartition("/")[2]) for place in places):
                yield document


def _note(environment: str, file: str, place: str) -> Finding:
    return Finding(
        rule="chart-lint",
        severity="note",
        environment=environment,
        file=file,
        message=f"The chart was not rendered for {environment}: the values of this environment are in {place}.",
        why="chart-check reads only the work tree of this repository.",
        fix="promote-pr renders the chart with these values, from the pins repository.",
    )
