"""What environments will render: pins that are Applications of our chart, with values of the work tree."""

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
    """The inputs with which one Application of an environment renders our chart."""

    environment: str
    application: str
    inputs: RenderInputs
    file: str = ""


class OtherRepository(Exception):
    """A values file lies in another repository, which is not checked out here."""


def pinned(settings: Settings, workspace: Path) -> Iterator[tuple[str, str]]:
    """Every environment with every file that it pins; a pattern stands for the files of the work tree it fits."""
    files = [pin if isinstance(pin, str) else pin.file for one in settings.environments for pin in one.pins]
    if any(set(file) & set("*?[{") for file in files):
        from stagegate.pins import files as pin_files  # with all forms of pins

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
    """The inputs of one Application for the chart; a note where its values are in another repository.

    Stop(missing-file) for a values file that this work tree should hold and does not.
    """

    def read(url: str, revision: str, path: str) -> bytes | None:
        if repository and same_repository(url, repository) == "foreign":
            raise OtherRepository(f"{url} at {revision}")
        target = inside.file(workspace, path)
        return target.read_bytes() if target else None

    try:
        known = render_inputs.render_inputs(document, read, chart=chart.name)
    except OtherRepository as elsewhere:
        return _note(environment, file, str(elsewhere))
    return EnvironmentRendering(
        environment=environment, application=known.application, inputs=known.inputs, file=file
    )


def applications_of(workspace: Path, file: str, chart: str) -> Iterator[Mapping[str, Any]]:
    """Applications in a pin's file that have this chart as a source. Stop(missing-file), Stop(findings)."""
    path = inside.file(workspace, file)
    if path is None:
        raise Stop(
            "missing-file",
            f"There is no {file}.",
            "The settings name it as a pin.",
            "Check it out, or correct `pins`.",
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
        message=f"The chart was not rendered for {environment}: its values are in {place}.",
        why="Only the work tree of this repository is read here.",
        fix="promote-pr renders it from the pins repository.",
    )
