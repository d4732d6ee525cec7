"""Renders the chart for every target: as it is, once more where it may be random, and with probed values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import msgspec
import yaml

from stagegate import yaml_1_1
from stagegate.argocd_app.inputs import Parameter, RenderInputs
from stagegate.chart import package, render
from stagegate.chart.environments import EnvironmentRendering
from stagegate.chart.kubernetes import schema
from stagegate.chart.objects import BrokenDocument
from stagegate.chart.rule import Failure, LintLine, Objects, Rendered
from stagegate.chart.source import ChartSource
from stagegate.clients import helm
from stagegate.errors import Stop

_AT_ONCE = 4
_OURS = frozenset(("findings", "missing-file", "ambiguous-pin"))  # faults of the chart or the pins
_INCOMPATIBLE = "incompatible with Kubernetes"
_OLDEST_MINOR = 16
_RANDOM = re.compile(
    r"\b(rand(Alpha|Numeric|Ascii|Bytes|Int|AlphaNum)|gen(CA|SelfSignedCert|SignedCert|PrivateKey)\w*|uuidv4|shuffle"
    r"|htpasswd|bcrypt|encryptAES|derivePassword|now|ago|getHostByName)\b|\bkeys\s+[.$(]"
)


class RenderSetup(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The chart with dependencies in place, and how every rendering of it is made."""

    chart: ChartSource
    kube_version: str
    probes: Mapping[str, str]
    strict: bool = False
    library: bool = False

    @cached_property
    def templates(self) -> dict[str, str]:
        """Texts of all templates, those of dependencies too, by path in the chart."""
        folder = self.chart.folder
        texts = {
            path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(folder.rglob("templates/**/*"))
            if path.is_file()
        }
        for archive in sorted(folder.glob("charts/*.tgz")):
            try:
                contents = package.unpack(archive.read_bytes(), archive.name)
            except Stop:
                continue  # Helm reports it, as a fault of the chart
            for name, content in contents.items():
                if "/templates/" in name:
                    texts[f"charts/{name}"] = content.decode("utf-8", "replace")
        return texts

    @cached_property
    def may_differ(self) -> bool:
        """Whether anything in the chart could render differently the next time."""
        values = self.chart.folder / "values.yaml"
        texts = [*self.templates.values(), values.read_text("utf-8", "replace") if values.is_file() else ""]
        return any(_RANDOM.search(text) for text in texts)


def kube_version(chart: ChartSource, renderings: Sequence[EnvironmentRendering], given: str) -> str:
    """The Kubernetes version to render for: the one given, else the newest that the chart accepts.

    Where the chart names no versions, that is the newest of the table. Helm alone knows its constraints, so
    it is asked, once for each version that it refuses.
    """
    newest = schema.table().versions[-1]
    if given or not renderings:
        return given or newest
    included = (path.read_text("utf-8", "replace") for path in chart.folder.glob("charts/*/Chart.yaml"))
    if "kubeVersion" not in chart.metadata and not any("kubeVersion" in text for text in included):
        return newest
    inputs = renderings[0].inputs
    for minor in range(int(newest.split(".")[1]), _OLDEST_MINOR, -1):
        result = _attempt(chart, msgspec.structs.replace(inputs, kube_version=f"1.{minor}"))
        if not (isinstance(result, Stop) and _INCOMPATIBLE in result.why):
            return f"1.{minor}"
    return newest


def try_all(
    trial: RenderSetup, renderings: Sequence[EnvironmentRendering], *, own_is_secondary: bool
) -> list[Rendered]:
    """The result of every rendering, in their order; `own_is_secondary` is about the one without environment."""
    helm.version()  # before several threads would each ask for it
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        waiting = [
            _submit(pool, trial, one, secondary=own_is_secondary and not one.environment)
            for one in renderings
        ]
        return [one() for one in waiting]


def objects_of(trial: RenderSetup, rendering: EnvironmentRendering) -> Objects | Stop:
    """One plain rendering."""
    result = _attempt(trial.chart, _with_version(rendering.inputs, trial.kube_version))
    return result if isinstance(result, Stop) else result[0]


def _submit(
    pool: ThreadPoolExecutor, trial: RenderSetup, one: EnvironmentRendering, *, secondary: bool
) -> Any:
    """Start everything about one rendering; the result is a function that waits for it."""
    inputs = _with_version(one.inputs, trial.kube_version)
    lint = None if secondary else pool.submit(_lint, trial, inputs)
    if trial.library:
        return lambda: _rendered(
            trial, one, (), None, None, lint.result() if lint else (), secondary=secondary
        )
    first = pool.submit(_attempt, trial.chart, inputs)
    again = pool.submit(_attempt, trial.chart, inputs) if trial.may_differ and not secondary else None
    probed = (
        pool.submit(_attempt, trial.chart, _probed(trial, inputs)) if trial.probes and not secondary else None
    )

    def result() -> Rendered:
        return _rendered(
            trial,
            one,
            first.result(),
            again.result() if again else None,
            probed.result() if probed else None,
            lint.result() if lint else (),
            secondary=secondary,
        )

    return result


def _rendered(
    trial: RenderSetup,
    one: EnvironmentRendering,
    first: tuple[Any, ...] | Stop,
    again: Any,
    probed: Any,
    lint: tuple[LintLine, ...],
    *,
    secondary: bool,
) -> Rendered:
    failure = _failure(first, trial.chart) if isinstance(first, Stop) else None
    absent = isinstance(first, Stop) and first.reason == "missing-file"
    return Rendered(
        environment=one.environment,
        application=one.application,
        namespace=one.inputs.namespace,
        file=one.file,
        secondary=secondary,
        values=tuple(v.name for v in one.inputs.values if v.content is None and not v.optional),
        files=_files(one.inputs),
        objects=None if isinstance(first, Stop) else first[0] if first else (),
        broken=() if isinstance(first, Stop) or not first else first[1],
        failure=None if absent else failure,
        missing=failure if absent and not one.inputs.values else None,
        again=None if again is None or isinstance(again, Stop) else again[0],
        probed=None if probed is None or isinstance(probed, Stop) else probed[0],
        unprobed=_failure(probed, trial.chart) if isinstance(probed, Stop) and failure is None else None,
        lint=lint,
    )


def _attempt(chart: ChartSource, inputs: RenderInputs) -> tuple[Objects, tuple[BrokenDocument, ...]] | Stop:
    """What it renders, or why it does not; a missing helm or a full disk is no fault of the chart."""
    try:
        return render.render_each(chart.folder, inputs)
    except Stop as stop:
        if stop.reason not in _OURS:
            raise
        return stop


def _failure(stop: Stop, chart: ChartSource) -> Failure:
    file = f"{chart.path}/{stop.file}" if stop.file else chart.file
    return Failure(what=stop.what, why=stop.why, file=file, line=stop.line or 0)


def _with_version(inputs: RenderInputs, version: str) -> RenderInputs:
    """An Application's own kubeVersion wins."""
    return inputs if inputs.kube_version else msgspec.structs.replace(inputs, kube_version=version)


def _probed(trial: RenderSetup, inputs: RenderInputs) -> RenderInputs:
    others = tuple(one for one in inputs.parameters if one.name not in trial.probes)
    probes = tuple(Parameter(name, text, string=True) for name, text in trial.probes.items())
    return msgspec.structs.replace(inputs, parameters=(*others, *probes))


def _lint(trial: RenderSetup, inputs: RenderInputs) -> tuple[LintLine, ...]:
    """`helm lint` with everything the rendering takes; its recommendations are left out."""
    chart = trial.chart
    try:
        values, files = render.values_of(chart.folder, inputs), render.files_of(chart.folder, inputs)
    except Stop:
        return ()  # a file that is missing has a rule of its own
    result = helm.lint(
        chart.folder,
        values,
        strict=trial.strict,
        namespace=inputs.namespace,
        set_values=inputs.parameters,
        set_files=files,
        kube_version=inputs.kube_version,
    )
    return tuple(
        LintLine(
            severity="error" if trial.strict else one.severity,
            file=f"{chart.path}/{one.file}" if one.file and not one.file.startswith("/") else chart.path,
            text=one.text,
        )
        for one in result.messages
        if one.severity != "note"
    )


def _files(inputs: RenderInputs) -> dict[str, Mapping[str, Any]]:
    """The values files of an environment, and what its Application has inline, parsed."""
    texts = {one.name: one.content for one in inputs.values if one.content}
    texts |= {"values of the Application": inputs.inline.encode()} if inputs.inline else {}
    parsed: dict[str, Mapping[str, Any]] = {}
    for name, content in texts.items():
        try:
            document = yaml_1_1.load_last(content)
        except (yaml.YAMLError, ValueError):
            continue
        if isinstance(document, dict):
            parsed[name] = document
    if parameters := _nested(inputs.parameters):
        parsed["parameters of the Application"] = parameters
    return parsed


def _nested(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Parameters as the values they set; names with an index or an escaped dot are left out."""
    values: dict[str, Any] = {}
    for one in parameters:
        if "[" in one.name or "\\" in one.name:
            continue
        *outer, last = one.name.split(".")
        inside = values
        for key in outer:
            following = inside.setdefault(key, {})
            inside = following if isinstance(following, dict) else {}
        inside.setdefault(last, one.value)
    return values
