"""What chart-check renders: every Application among the pins, values files, ci/*-values.yaml, own values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stagegate import inside
from stagegate.argocd_app.inputs import RenderInputs, ValuesFile
from stagegate.chart import environments
from stagegate.chart.environments import EnvironmentRendering
from stagegate.chart.rule import Failure, Rendered
from stagegate.chart.source import ChartSource
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.settings import Settings

if TYPE_CHECKING:
    from stagegate.chart.check.facts import Checkout

_LONGEST_RELEASE = 53  # characters, as Helm demands
_CI = "ci/*-values.yaml"  # the name that chart-testing uses


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """The renderings to make (the chart's own values last), the unreadable ones, and notes about both."""

    renderings: tuple[EnvironmentRendering, ...]
    own_is_secondary: bool
    unreadable: tuple[Rendered, ...] = ()
    notes: tuple[Finding, ...] = ()


def of(settings: Settings, chart: ChartSource, checkout: Checkout, values: tuple[str, ...]) -> Targets:
    """Every target of the check. Stop(missing-file) for a missing values file of the inputs."""
    applications, unreadable, notes = _applications(settings, chart, checkout)
    from_inputs = [_given(settings.app, line, checkout.workspace) for line in values]
    from_ci = [] if applications or from_inputs else _ci(settings.app, chart)
    own_values = EnvironmentRendering(environment="", application="", inputs=_inputs(settings.app))
    if not applications and not notes and settings.environments and not unreadable:
        notes.append(_untried(settings, chart))
    with_values = (*applications, *from_inputs, *from_ci)
    return Targets(
        renderings=(*with_values, own_values),
        own_is_secondary=bool(with_values or unreadable),
        unreadable=tuple(unreadable),
        notes=tuple(notes),
    )


def _applications(
    settings: Settings, chart: ChartSource, checkout: Checkout
) -> tuple[list[EnvironmentRendering], list[Rendered], list[Finding]]:
    """Every Application of the chart among the pins; unreadable ones are returned separately."""
    renderings: list[EnvironmentRendering] = []
    unreadable: list[Rendered] = []
    notes: list[Finding] = []
    for environment, file in environments.pinned(settings, checkout.workspace):
        try:
            documents = list(environments.applications_of(checkout.workspace, file, chart.name))
        except Stop as stop:
            unreadable.append(_unreadable(stop, environment, stop.file or file))
            continue
        for document in documents:
            try:
                rendering = environments.rendering(document, environment, file, chart, *checkout)
            except Stop as stop:
                unreadable.append(_unreadable(stop, environment, stop.file or file))
                continue
            if isinstance(rendering, Finding):
                notes.append(rendering)
            else:
                renderings.append(rendering)
    return renderings, unreadable, notes


def _unreadable(stop: Stop, environment: str, file: str) -> Rendered:
    failure = Failure(what=stop.what, why=stop.why, file=file, line=stop.line or 0)
    missing = stop.reason == "missing-file"
    return Rendered(
        environment=environment,
        namespace="",
        file=file,
        missing=failure if missing else None,
        failure=None if missing else failure,
    )


def _given(app: str, line: str, workspace: Path) -> EnvironmentRendering:
    """The rendering for one line of the input `values`: files separated by commas, later ones override."""
    names = [name.strip() for name in line.split(",") if name.strip()]
    files = []
    for name in names:
        path = inside.file(workspace, name)
        if path is None:
            raise Stop(
                "missing-file",
                f"There is no {name}.",
                "The input `values` names this file.",
                "Correct the path, which is relative to the workspace.",
            )
        files.append(ValuesFile(name=name, content=path.read_bytes()))
    inputs = msgspec.structs.replace(_inputs(app), values=tuple(files))
    return EnvironmentRendering(
        environment=Path(names[-1]).stem, application="", inputs=inputs, file=names[-1]
    )


def _ci(app: str, chart: ChartSource) -> list[EnvironmentRendering]:
    renderings = []
    for path in sorted(chart.folder.glob(_CI)):
        name = path.relative_to(chart.folder).as_posix()
        values = (ValuesFile(name=name, content=path.read_bytes()),)
        inputs = msgspec.structs.replace(_inputs(app), values=values)
        renderings.append(
            EnvironmentRendering(environment=name, application="", inputs=inputs, file=f"{chart.path}/{name}")
        )
    return renderings


def _inputs(app: str) -> RenderInputs:
    """Inputs with release and namespace named after the app, without characters that are not allowed there."""
    name = re.sub(r"[^a-z0-9-]+", "-", app.lower()).strip("-")[:_LONGEST_RELEASE].rstrip("-")
    return RenderInputs(release_name=name or "release", namespace=name or "release")


def _untried(settings: Settings, chart: ChartSource) -> Finding:
    names = ", ".join(environment.name for environment in settings.environments)
    return Finding(
        rule="chart-lint",
        severity="note",
        file=chart.file,
        message=f"The chart was not rendered for {names}: no pin in this repository is an Application that "
        "deploys this chart.",
        why="chart-check cannot read values files in another repository.",
        fix="promote-pr renders the chart with those files. To check these files earlier, pass them "
        "with the input `values`.",
    )
