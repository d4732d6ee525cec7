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

_LONGEST_RELEASE = 53  # as Helm says
_CI = "ci/*-values.yaml"  # chart-testing's name for values that make a chart render


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """The renderings to try, own values last; what could not be read, and notes about it."""

    renderings: tuple[EnvironmentRendering, ...]
    own_is_secondary: bool
    unreadable: tuple[Rendered, ...] = ()
    notes: tuple[Finding, ...] = ()


def of(settings: Settings, chart: ChartSource, checkout: Checkout, values: tuple[str, ...]) -> Targets:
    """Every target. Stop(missing-file) for a values file of the inputs that is not there."""
    applications, unreadable, notes = _applications(settings, chart, checkout)
    given = [_given(settings.app, line, checkout.workspace) for line in values]
    trials = [] if applications or given else _ci(settings.app, chart)
    own = EnvironmentRendering(environment="", application="", inputs=_inputs(settings.app))
    if not applications and not notes and settings.environments and not unreadable:
        notes.append(_untried(settings, chart))
    others = (*applications, *given, *trials)
    return Targets(
        renderings=(*others, own),
        own_is_secondary=bool(others or unreadable),
        unreadable=tuple(unreadable),
        notes=tuple(notes),
    )


def _applications(
    settings: Settings, chart: ChartSource, checkout: Checkout
) -> tuple[list[EnvironmentRendering], list[Rendered], list[Finding]]:
    """Every Application of the chart among the pins; one that cannot be read does not hide the others."""
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
                one = environments.rendering(document, environment, file, chart, *checkout)
            except Stop as stop:
                unreadable.append(_unreadable(stop, environment, stop.file or file))
                continue
            if isinstance(one, Finding):
                notes.append(one)
            else:
                renderings.append(one)
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
    """One line of the input `values`: files that are layered, separated by commas."""
    names = [name.strip() for name in line.split(",") if name.strip()]
    files = []
    for name in names:
        path = inside.file(workspace, name)
        if path is None:
            raise Stop(
                "missing-file",
                f"There is no {name}.",
                "The input `values` names it.",
                "Correct the path; it is relative to the workspace.",
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
    """A release and a namespace called as the app; of a name that neither may have, what is left of it."""
    name = re.sub(r"[^a-z0-9-]+", "-", app.lower()).strip("-")[:_LONGEST_RELEASE].rstrip("-")
    return RenderInputs(release_name=name or "release", namespace=name or "release")


def _untried(settings: Settings, chart: ChartSource) -> Finding:
    names = ", ".join(one.name for one in settings.environments)
    return Finding(
        rule="chart-lint",
        severity="note",
        file=chart.file,
        message=f"The chart was not rendered for {names}: no pin in this repository is an Application of it.",
        why="Values that are kept in another repository cannot be tried here.",
        fix="promote-pr renders the chart with them. Until then, give values files with the input `values`.",
    )
