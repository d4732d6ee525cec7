"""Renders a chart as the environment would: the same inputs give the same objects."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from stagegate import inside
from stagegate.argocd_app.inputs import FileParameter, Parameter, RenderInputs, ValuesFile
from stagegate.chart import package
from stagegate.chart.objects import BrokenDocument, RenderedObject, configuration, parse, parse_each
from stagegate.clients import helm
from stagegate.errors import Stop
from stagegate.runner.workers import Workers

__all__ = [
    "Parameter",
    "RenderInputs",
    "RenderedObject",
    "ValuesFile",
    "configuration",
    "render",
    "render_all",
    "render_each",
]

AT_ONCE = 4  # runs of helm


def render(chart: Path | bytes, inputs: RenderInputs, *, where: str = "") -> tuple[RenderedObject, ...]:
    """The objects of a chart folder, archive file, or archive as bytes. Stop(findings) with helm's message.

    `where` names the environment in messages (default: the name of the release).
    """
    with tempfile.TemporaryDirectory(prefix="stagegate-render-") as folder:
        place = _on_disk(chart, Path(folder)) if isinstance(chart, bytes) else chart
        rendered = _template(place, inputs)
    return parse(rendered, where or inputs.release_name)


def render_each(
    chart: Path, inputs: RenderInputs
) -> tuple[tuple[RenderedObject, ...], tuple[BrokenDocument, ...]]:
    """As `render`, for a check: returns the objects, and the documents that are not objects."""
    return parse_each(_template(chart, inputs, keep_broken=True))


def values_of(chart: Path, inputs: RenderInputs) -> list[tuple[str, bytes]]:
    """Name and content of the values files of a rendering; later files override earlier ones.

    Stop(missing-file).
    """
    files = [(values_file.name, _content(values_file, chart)) for values_file in inputs.values]
    return [file for file in (*files, ("values of the Application", inputs.inline.encode())) if file[1]]


def files_of(chart: Path, inputs: RenderInputs) -> list[tuple[str, bytes]]:
    """The file parameters of a rendering, by name. Stop(missing-file)."""
    return [(parameter.name, _parameter(parameter, chart)) for parameter in inputs.file_parameters]


def render_all(
    work: Sequence[tuple[str, Path | bytes, RenderInputs]],
) -> list[tuple[RenderedObject, ...]]:
    """Several renderings at once, each (where, chart, inputs); results in that order. The first Stop is raised."""
    helm.version()  # cached before several threads need it
    with Workers(AT_ONCE) as workers:
        waiting = [workers.start(render, chart, inputs, where=where) for where, chart, inputs in work]
        return [wait() for wait in waiting]


def _template(place: Path, inputs: RenderInputs, *, keep_broken: bool = False) -> str:
    values = values_of(place, inputs)
    return helm.template(
        place,
        release_name=inputs.release_name,
        namespace=inputs.namespace,
        values=[content for _, content in values],
        names=[name for name, _ in values],
        set_values=inputs.parameters,
        kube_version=inputs.kube_version,
        api_versions=inputs.api_versions,
        include_crds=inputs.include_crds,
        set_files=files_of(place, inputs),
        include_tests=inputs.include_tests,
        check_schema=inputs.check_schema,
        keep_broken=keep_broken,
    )


def _on_disk(archive: bytes, folder: Path) -> Path:
    """Unpack the archive with our own checks, because helm trusts its paths."""
    contents = package.unpack(archive, "The chart's archive")
    for path, data in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    roots = {
        path.partition("/")[0] for path in contents if path.count("/") == 1 and path.endswith("/Chart.yaml")
    }
    if len(roots) != 1:
        raise Stop(
            "findings",
            "The chart's archive does not contain a chart.",
            f"The archive has {len(roots)} folders with a Chart.yaml, but must have exactly one.",
            "Publish the chart with helm-publish or helm package.",
        )
    return folder / roots.pop()


def _content(values: ValuesFile, chart: Path) -> bytes:
    if values.content is not None:
        return values.content
    content = _inside(values.name, chart)
    if content is not None or values.optional:
        return content or b""
    raise Stop(
        "missing-file",
        f"The chart has no values file {values.name}.",
        "The Application names this file under helm.valueFiles.",
        "Correct the name, or set ignoreMissingValueFiles.",
    )


def _parameter(parameter: FileParameter, chart: Path) -> bytes:
    content = parameter.content if parameter.content is not None else _inside(parameter.path, chart)
    if content is None:
        raise Stop(
            "missing-file",
            f"The chart has no file {parameter.path}.",
            "The Application names this file under helm.fileParameters.",
            "Correct the path.",
        )
    return content


def _inside(name: str, chart: Path) -> bytes | None:
    """A file in a chart's folder; None when it does not exist or is outside."""
    target = inside.file(chart, name)
    return target.read_bytes() if target else None
