"""Renders the chart to compare with, a folder or a published chart, for the same environments."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stagegate.chart import package, source
from stagegate.chart.check.render_setup import RenderSetup
from stagegate.chart.check.rendering import objects_of
from stagegate.chart.environments import EnvironmentRendering
from stagegate.chart.rule import Base, Objects
from stagegate.chart.source import ChartSource
from stagegate.errors import Stop
from stagegate.model import digest_of

if TYPE_CHECKING:
    from stagegate.clients.registry import Registry

_OCI = "oci://"


def read(
    reference: str,
    workspace: Path,
    registry: Registry | None,
    trial: RenderSetup,
    renderings: Sequence[EnvironmentRendering],
) -> Base | None:
    """The base with its objects by environment; None without a reference.

    `failure` has the error of an unreadable base.
    """
    if not reference:
        return None
    try:
        if not reference.startswith(_OCI):
            return _of(reference, workspace / reference, trial, renderings)
        with tempfile.TemporaryDirectory(prefix="stagegate-base-") as folder:
            return _of(reference, _fetched(reference, Path(folder), registry), trial, renderings)
    except Stop as stop:
        if stop.reason not in ("findings", "missing-file", "unknown-state", "bad-input"):
            raise
        why = "" if stop.reason == "missing-file" else f" {stop.why}"
        return Base(reference=reference, failure=f"{stop.what}{why}")


def _fetched(reference: str, folder: Path, registry: Registry | None) -> Path:
    from stagegate.chart import published  # loads the registry client

    chart = published.fetch(registry, reference.removeprefix(_OCI)) if registry else None
    if chart is None:
        raise Stop(
            "bad-input",
            f"There is no {reference}.",
            "The input `base` names this reference.",
            "Correct the input `base`.",
        )
    for name, content in package.unpack(chart.archive, reference).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder / chart.name


def _of(reference: str, folder: Path, trial: RenderSetup, renderings: Sequence[EnvironmentRendering]) -> Base:
    chart: ChartSource = source.read(folder, reference, lenient=True)
    setup = RenderSetup(chart=chart, kube_version=trial.kube_version, probes={})
    objects: dict[str, Objects] = {}
    for rendering in renderings:
        result = objects_of(setup, rendering)
        if not isinstance(result, Stop):
            objects[rendering.environment] = result
    files = package.files(folder, reference)
    content = digest_of({path: digest_of(data) for path, data in files.items() if path != source.FILE})
    failure = "" if objects else "The chart does not render with the values of any environment."
    return Base(reference=reference, version=chart.version, content=content, objects=objects, failure=failure)
