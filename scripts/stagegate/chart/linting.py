"""`helm lint` with what the environments will render, and helm's places as paths of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from stagegate.argocd_app.inputs import RenderInputs
from stagegate.chart.environments import Rendering
from stagegate.chart.source import ChartSource
from stagegate.clients import helm
from stagegate.errors import Stop
from stagegate.model import Finding


def lint(chart: ChartSource, asked: Sequence[Rendering], *, strict: bool) -> list[Finding]:
    """`helm lint` with the values of every environment, or with the chart's own when there is none."""
    tries: list[tuple[str, RenderInputs | None]] = [(one.environment, one.inputs) for one in asked]

    def one(work: tuple[str, RenderInputs | None]) -> list[Finding]:
        environment, inputs = work
        values = [v.content or b"" for v in inputs.values] + [inputs.inline.encode()] if inputs else []
        found = helm.lint(chart.folder, [v for v in values if v], strict=strict)
        return [
            Finding(
                rule="helm-lint",
                severity=message.severity,
                environment=environment,
                file=f"{chart.path}/{message.file}" if message.file else chart.path,
                message=message.text,
                fix="Correct the chart or its values." if message.severity != "note" else "",
            )
            for message in found.messages
        ]

    with ThreadPoolExecutor(max_workers=4) as pool:
        listed = [finding for found in pool.map(one, tries or [("", None)]) for finding in found]
    unique = {(f.severity, f.file, f.message): f for f in reversed(listed)}
    return list(reversed(unique.values()))


def placed(stop: Stop, chart: ChartSource) -> Stop:
    """The same Stop with the place in the chart as a path of the workspace."""
    file = f"{chart.path}/{stop.file}" if stop.file else None
    return Stop(stop.reason, stop.what, stop.why, stop.next, file=file, line=stop.line)
