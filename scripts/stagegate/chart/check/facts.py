"""What the chart renders to: for every environment, twice, and with each probed value replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec

from stagegate.argocd_app.inputs import Parameter, RenderInputs
from stagegate.chart import dependencies, environments, linting, package, source
from stagegate.chart.check.plan import Facts
from stagegate.chart.environments import Rendering
from stagegate.chart.render import render
from stagegate.chart.rules import CheckFacts, Rendered
from stagegate.chart.rules.ground import Objects
from stagegate.chart.source import ChartSource
from stagegate.clients.registry.credentials import Credentials
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.settings import ChartSettings, Settings

_AT_ONCE = 4
_AGAIN = " again"  # no value has a name with a blank in front
_OURS = frozenset(
    {"findings", "missing-file", "ambiguous-pin"}
)  # the chart's or the pins' fault, not the world's


class Checkout(NamedTuple):
    """The work tree, and which repository it is (owner/name; empty: any)."""

    workspace: Path
    repository: str


def read(
    settings: Settings,
    own: ChartSettings,
    checkout: Checkout,
    logins: Mapping[str, Credentials],
    *,
    strict: bool,
) -> Facts:
    """Facts of the chart in the work tree; what does not render is a finding, for each environment.

    Stop(missing-file) without a chart or a lock, Stop(findings) when Chart.yaml cannot be read.
    """
    chart = source.read(checkout.workspace / own.path, own.path, own.name)
    with dependencies.complete(chart, checkout.workspace, logins) as whole:
        asked, findings = _asked(settings, whole, checkout)
        findings += _lint(whole, asked, strict=strict)
        ground = CheckFacts(
            path=own.path,
            images=settings.images,
            image_tag_value=own.image_tag_value,
            checks=own.checks,
            packaged=frozenset(package.files(whole.folder, own.path)),
            probe=f"{settings.version.tag_prefix}0.0.0-probe",
        )
        if not asked and not _unreadable(findings):
            asked = [_own_values(settings.app)]
        rendered, wrong = _rendered(whole, asked, ground)
    return Facts(
        app=settings.app,
        version=chart.version,
        ground=ground,
        rendered=tuple(rendered),
        findings=(*findings, *wrong),
    )


def _unreadable(findings: list[Finding]) -> bool:
    """Whether an Application could not be read: then the chart's own values are no replacement for it."""
    return any(finding.rule in ("renders", "values-file") for finding in findings)


def _asked(
    settings: Settings, chart: ChartSource, checkout: Checkout
) -> tuple[list[Rendering], list[Finding]]:
    """Every Application of the chart among the pins; one that cannot be read does not hide the others."""
    found: list[Rendering] = []
    findings: list[Finding] = []
    for environment, file in environments.pinned(settings):
        try:
            documents = list(environments.applications_of(checkout.workspace, file, chart.name))
        except Stop as stop:
            findings.append(_finding(stop, environment, stop.file or file))
            continue
        for document in documents:
            try:
                one = environments.rendering(document, environment, file, chart, *checkout)
            except Stop as stop:
                findings.append(_finding(stop, environment, file))
                continue
            if isinstance(one, Finding):
                findings.append(one)
            else:
                found.append(one)
    return found, findings


def _rendered(
    chart: ChartSource, asked: list[Rendering], ground: CheckFacts
) -> tuple[list[Rendered], list[Finding]]:
    work = [(one, name, inputs) for one in asked for name, inputs in _jobs(one.inputs, ground)]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        done = list(pool.map(lambda job: _attempt(chart, job[0], job[2]), work))
    found: list[Rendered] = []
    findings: list[Finding] = []
    for one in asked:
        results = {name: result for (whose, name, _), result in zip(work, done, strict=True) if whose is one}
        objects, again = results.pop(""), results.pop(_AGAIN)
        missing = isinstance(objects, Stop) and objects.reason == "missing-file"
        first = next((result for result in (objects, again) if isinstance(result, Stop)), None)
        if first is not None and not missing:  # a values file that is missing is told by its own rule
            findings.append(_finding(linting.placed(first, chart), one.environment, chart.file))
        elif not missing:
            for name, result in results.items():
                if isinstance(result, Stop):
                    findings.append(_unprobed(name, result, one, ground))
        found.append(
            Rendered(
                environment=one.environment,
                application=one.application,
                namespace=one.inputs.namespace,
                file=one.file,
                values=tuple(v.name for v in one.inputs.values if v.content is None and not v.optional),
                objects=None if isinstance(objects, Stop) else objects,
                again=None if isinstance(again, Stop) else again,
                probes={name: result for name, result in results.items() if not isinstance(result, Stop)},
            )
        )
    return found, findings


def _jobs(inputs: RenderInputs, ground: CheckFacts) -> Iterator[tuple[str, RenderInputs]]:
    """As it is, once more, and with each probed value replaced."""
    yield "", inputs
    yield _AGAIN, inputs
    tags = [ground.image_tag_value] if ground.image_tag_value and ground.images else []
    for name in dict.fromkeys((*tags, *ground.checks.follow)):
        others = tuple(one for one in inputs.parameters if one.name != name)
        parameters = (*others, Parameter(name, ground.probe, string=True))
        yield name, msgspec.structs.replace(inputs, parameters=parameters)


def _attempt(chart: ChartSource, one: Rendering, inputs: RenderInputs) -> Objects | Stop:
    """What it renders, or why it does not; a missing helm or a full disk is no fault of the chart."""
    try:
        return render(chart.folder, inputs, where=one.environment or "the chart's own values")
    except Stop as stop:
        if stop.reason not in _OURS:
            raise
        return stop


def _own_values(app: str) -> Rendering:
    """Where no Application of the chart is pinned here: as `helm install` without values would."""
    return Rendering(environment="", application="", inputs=RenderInputs(release_name=app, namespace=app))


def _finding(stop: Stop, environment: str, file: str) -> Finding:
    return Finding(
        rule="values-file" if stop.reason == "missing-file" else "renders",
        severity="error",
        environment=environment,
        file=stop.file or file,
        line=stop.line or 0,
        message=stop.what,
        why=stop.why,
        fix=stop.next,
    )


def _unprobed(value: str, stop: Stop, one: Rendering, ground: CheckFacts) -> Finding:
    """Unknown is never passed (I2): a probe that does not render is an error of the rule it was for."""
    return Finding(
        rule="image-follows" if value == ground.image_tag_value else "value-follows",
        severity="error",
        environment=one.environment,
        file=f"{ground.path}/values.yaml",
        message=f"What follows {value} cannot be tried: with {ground.probe} the chart does not render.",
        why=stop.why,
        fix=f"Let values.schema.json and the templates take any text for {value}.",
    )


def _lint(chart: ChartSource, asked: list[Rendering], *, strict: bool) -> list[Finding]:
    """Errors and warnings of `helm lint` (its recommendations are left out); strict makes warnings errors."""
    found = [one for one in linting.lint(chart, asked, strict=strict) if one.severity != "note"]
    return [msgspec.structs.replace(one, severity="error") if strict else one for one in found]
