"""Prepares the rendering of a chart for a check: its templates, the Kubernetes version, one attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from stagegate.argocd_app.inputs import RenderInputs
from stagegate.chart import package, render
from stagegate.chart.environments import EnvironmentRendering
from stagegate.chart.kubernetes import schema
from stagegate.chart.objects import BrokenDocument
from stagegate.chart.rule import Objects
from stagegate.chart.source import ChartSource
from stagegate.errors import Stop
from stagegate.patterns import pattern

_FAULTS = frozenset(("findings", "missing-file", "ambiguous-pin"))  # of the chart or the pins
_INCOMPATIBLE = "incompatible with Kubernetes"
_OLDEST_MINOR = 16
_RANDOM = pattern(
    r"\b(rand(Alpha|Numeric|Ascii|Bytes|Int|AlphaNum)|gen(CA|SelfSignedCert|SignedCert|PrivateKey)\w*|uuidv4|shuffle"
    r"|htpasswd|bcrypt|encryptAES|derivePassword|now|ago|getHostByName)\b|\bkeys\s+[.$(]"
)

Attempt = tuple[Objects, tuple[BrokenDocument, ...]] | Stop  # the rendered objects, or the error


class RenderSetup(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The chart with dependencies in place, and the settings of every rendering.

    `tried` are existing renderings.
    """

    chart: ChartSource
    kube_version: str
    probes: Mapping[str, str]
    strict: bool = False
    library: bool = False
    tried: Mapping[RenderInputs, Attempt] = {}

    @cached_property
    def templates(self) -> dict[str, str]:
        """Texts of all templates, including those of dependencies, by path in the chart."""
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
        """Whether the chart uses a function that may render differently each time."""
        values = self.chart.folder / "values.yaml"
        texts = [*self.templates.values(), values.read_text("utf-8", "replace") if values.is_file() else ""]
        return any(_RANDOM.search(text) for text in texts)


def kube_version(
    chart: ChartSource, renderings: Sequence[EnvironmentRendering], requested: str
) -> tuple[str, dict[RenderInputs, Attempt]]:
    """The Kubernetes version to render for, and the rendering that was needed to find it.

    The version is the requested one, else the newest in the table that the chart accepts. Only Helm can evaluate
    `kubeVersion` of a chart, so versions are tried from the newest on until Helm accepts one.
    """
    newest = schema.table().versions[-1]
    if requested or not renderings:
        return requested or newest, {}
    included = (path.read_text("utf-8", "replace") for path in chart.folder.glob("charts/*/Chart.yaml"))
    if "kubeVersion" not in chart.metadata and not any("kubeVersion" in text for text in included):
        return newest, {}
    for minor in range(int(newest.split(".")[1]), _OLDEST_MINOR, -1):
        version = f"1.{minor}"
        inputs = msgspec.structs.replace(renderings[0].inputs, kube_version=version)
        result = attempt(chart, inputs)
        if not (isinstance(result, Stop) and _INCOMPATIBLE in result.why):
            return version, {inputs: result}
    return newest, {}


def attempt(chart: ChartSource, inputs: RenderInputs) -> Attempt:
    """The rendered objects, or the error. A missing helm or a full disk raises Stop, not a finding."""
    try:
        return render.render_each(chart.folder, inputs)
    except Stop as stop:
        if stop.reason not in _FAULTS:
            raise
        return stop


def with_version(inputs: RenderInputs, version: str) -> RenderInputs:
    """The inputs with a Kubernetes version; an Application's own kubeVersion has precedence."""
    return inputs if inputs.kube_version else msgspec.structs.replace(inputs, kube_version=version)
