"""Renders the chart for every target: once, again if it may be random, and with probed values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from stagegate.argocd_app.inputs import Parameter, RenderInputs
from stagegate.chart import render
from stagegate.chart.check import given_values
from stagegate.chart.check.render_setup import Attempt, RenderSetup, attempt, with_version
from stagegate.chart.environments import EnvironmentRendering
from stagegate.chart.rule import Failure, LintLine, Objects, Rendered
from stagegate.chart.source import ChartSource
from stagegate.clients import helm, helm_lint
from stagegate.errors import Stop
from stagegate.runner.workers import Workers


class _HelmRuns:
    """The runs of helm for one check. Environments with the same inputs share a run."""

    def __init__(self, workers: Workers, trial: RenderSetup) -> None:
        self._workers = workers
        self._trial = trial
        self._rendered = {inputs: _finished(result) for inputs, result in trial.tried.items()}
        self._linted: dict[RenderInputs, Callable[[], tuple[LintLine, ...]]] = {}

    def render(self, inputs: RenderInputs) -> Callable[[], Attempt]:
        """Start to render; the result is a function that waits for it."""
        if inputs not in self._rendered:
            self._rendered[inputs] = self.render_again(inputs)
        return self._rendered[inputs]

    def render_again(self, inputs: RenderInputs) -> Callable[[], Attempt]:
        """As `render`, once more for the same inputs."""
        return self._workers.start(attempt, self._trial.chart, inputs)

    def lint(self, inputs: RenderInputs) -> Callable[[], tuple[LintLine, ...]]:
        """Start to lint; the result is a function that waits for it."""
        if inputs not in self._linted:
            self._linted[inputs] = self._workers.start(_lint, self._trial, inputs)
        return self._linted[inputs]


def _finished(result: Attempt) -> Callable[[], Attempt]:
    return lambda: result


def start_all(
    workers: Workers,
    trial: RenderSetup,
    renderings: Sequence[EnvironmentRendering],
    *,
    own_is_secondary: bool,
) -> Callable[[], list[Rendered]]:
    """Start every rendering; the result is a function that waits for them and returns them in order.

    `own_is_secondary` marks the rendering without environment as secondary.
    """
    helm.version()  # cached before several threads need it
    runs = _HelmRuns(workers, trial)
    waiting = [
        _start(runs, trial, rendering, secondary=own_is_secondary and not rendering.environment)
        for rendering in renderings
    ]
    return lambda: [wait() for wait in waiting]


def objects_of(trial: RenderSetup, rendering: EnvironmentRendering) -> Objects | Stop:
    """One plain rendering."""
    result = attempt(trial.chart, with_version(rendering.inputs, trial.kube_version))
    return result if isinstance(result, Stop) else result[0]


def _start(
    runs: _HelmRuns, trial: RenderSetup, rendering: EnvironmentRendering, *, secondary: bool
) -> Callable[[], Rendered]:
    """Start everything about one rendering; the result is a function that waits for it."""
    inputs = with_version(rendering.inputs, trial.kube_version)
    lint = None if secondary else runs.lint(inputs)
    first = None if trial.library else runs.render(inputs)
    again = runs.render_again(inputs) if first and trial.may_differ and not secondary else None
    probed = runs.render(_probed(trial, inputs)) if first and trial.probes and not secondary else None
    return lambda: _rendered(
        trial,
        rendering,
        first() if first else ((), ()),
        again() if again else None,
        probed() if probed else None,
        lint() if lint else (),
        secondary=secondary,
    )


def _rendered(
    trial: RenderSetup,
    rendering: EnvironmentRendering,
    first: Attempt,
    again: Attempt | None,
    probed: Attempt | None,
    lint: tuple[LintLine, ...],
    *,
    secondary: bool,
) -> Rendered:
    failure = _failure(first, trial.chart) if isinstance(first, Stop) else None
    absent = isinstance(first, Stop) and first.reason == "missing-file"
    return Rendered(
        environment=rendering.environment,
        application=rendering.application,
        namespace=rendering.inputs.namespace,
        file=rendering.file,
        secondary=secondary,
        values=tuple(v.name for v in rendering.inputs.values if v.content is None and not v.optional),
        files=given_values.by_file(rendering.inputs),
        objects=None if isinstance(first, Stop) else first[0],
        broken=() if isinstance(first, Stop) else first[1],
        failure=None if absent else failure,
        missing=failure if absent and not rendering.inputs.values else None,
        again=None if again is None or isinstance(again, Stop) else again[0],
        probed=None if probed is None or isinstance(probed, Stop) else probed[0],
        unprobed=_failure(probed, trial.chart) if isinstance(probed, Stop) and failure is None else None,
        lint=lint,
    )


def _failure(stop: Stop, chart: ChartSource) -> Failure:
    file = f"{chart.path}/{stop.file}" if stop.file else chart.file
    return Failure(what=stop.what, why=stop.why, file=file, line=stop.line or 0)


def _probed(trial: RenderSetup, inputs: RenderInputs) -> RenderInputs:
    unprobed = tuple(parameter for parameter in inputs.parameters if parameter.name not in trial.probes)
    probes = tuple(Parameter(name, text, string=True) for name, text in trial.probes.items())
    return msgspec.structs.replace(inputs, parameters=(*unprobed, *probes))


def _lint(trial: RenderSetup, inputs: RenderInputs) -> tuple[LintLine, ...]:
    """Run `helm lint` with the inputs of the rendering; its recommendations are left out."""
    chart = trial.chart
    try:
        values, files = render.values_of(chart.folder, inputs), render.files_of(chart.folder, inputs)
    except Stop:
        return ()  # another rule reports a missing file
    result = helm_lint.lint(
        chart.folder,
        [content for _, content in values],
        names=[name for name, _ in values],
        strict=trial.strict,
        namespace=inputs.namespace,
        set_values=inputs.parameters,
        set_files=files,
        kube_version=inputs.kube_version,
    )
    return tuple(
        LintLine(
            severity="error" if trial.strict else message.severity,
            file=f"{chart.path}/{message.file}"
            if message.file and not message.file.startswith("/")
            else chart.path,
            text=message.text,
        )
        for message in result.messages
        if message.severity != "note"
    )
