"""What environments will render: pins that are Applications of our chart, with values of the work tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from stagegate.chart import applications
from stagegate.chart.inputs import RenderInputs
from stagegate.chart.source import ChartSource
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.settings import Settings


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """What one Application of an environment renders our chart with."""

    environment: str
    application: str
    inputs: RenderInputs


class Elsewhere(Exception):
    """A values file lies in another repository, which is not checked out here."""


def renderings(
    settings: Settings, chart: ChartSource, workspace: Path, repository: str, tag_value: tuple[str, str]
) -> tuple[list[Rendering], list[Finding]]:
    """Every Application of this chart among the pins, with the image tag of this release.

    `repository` is ours as owner/name, `tag_value` the parameter that holds the tag and what it will be.
    The findings say what could not be tried, and why.
    """
    found: list[Rendering] = []
    notes: list[Finding] = []

    def read(url: str, revision: str, path: str) -> bytes | None:
        if repository and not _same(url, repository):
            raise Elsewhere(f"{url} at {revision}")
        target = (workspace / path).resolve()
        return target.read_bytes() if target.is_relative_to(workspace) and target.is_file() else None

    for environment in settings.environments:
        for pin in environment.pins:
            file = pin if isinstance(pin, str) else pin.file
            for document in _applications(workspace, file, chart.name):
                try:
                    read_from = applications.render_inputs(document, read, chart=chart.name)
                except Elsewhere as elsewhere:
                    notes.append(_note(environment.name, file, str(elsewhere)))
                    continue
                inputs = read_from.inputs.with_parameter(*tag_value)
                found.append(
                    Rendering(environment=environment.name, application=read_from.application, inputs=inputs)
                )
    return found, notes


def _applications(workspace: Path, file: str, chart: str) -> Iterator[Mapping[str, Any]]:
    """Applications in a pin's file that have this chart as a source."""
    path = (workspace / file).resolve()
    if not path.is_relative_to(workspace) or not path.is_file():
        raise Stop(
            "missing-file",
            f"There is no {file}.",
            "The settings name it as a pin.",
            "Check it out, or correct `pins`.",
            file=file,
        )
    try:
        documents = list(yaml.safe_load_all(path.read_bytes()))
    except yaml.YAMLError as error:
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
        if applications.is_application(document):
            places = applications.places(document)
            if any(chart in (place.name, place.path.rpartition("/")[2]) for place in places):
                yield document


def _same(url: str, repository: str) -> bool:
    plain = url.lower().removesuffix("/").removesuffix(".git")
    return plain.endswith(("/" + repository.lower(), ":" + repository.lower()))


def _note(environment: str, file: str, place: str) -> Finding:
    return Finding(
        rule="helm-render",
        severity="note",
        environment=environment,
        file=file,
        message=f"The chart was not rendered for {environment}: its values lie in {place}.",
        why="Only the work tree of this repository is read here.",
        fix="promote-pr renders it from the pins repository.",
    )
