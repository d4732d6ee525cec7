"""What a gate reaches, with the two things that other parts of stagegate know: how pins are read, and how an
Application is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from stagegate.argocd_app import render_inputs, status
from stagegate.chart import package, published, render
from stagegate.clients.connections import Connections
from stagegate.errors import Stop
from stagegate.gate import comparing, prepare
from stagegate.gate.comparing import Rendering
from stagegate.gate.facts import Facts
from stagegate.gate.prepare import World
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.promotion import umbrella_render


def world(facts: Facts, connections: Connections) -> World:
    """The repositories, the registry, and functions that read pins at a commit and render an Application."""
    limited = connections.limited(facts.settings)
    files = tuple(pin_files.file_of(pin) for pin in facts.environment.pins)

    def version(contents: Mapping[str, bytes | None]) -> str:
        return pinned_version.standing(facts.environment, contents, facts.settings).version

    return World(
        app=limited.app,
        pins=limited.pins,
        registry=limited.registry,
        calls=lambda: limited.calls,
        pin_files=files,
        pinned_at=prepare.pinned(
            version, limited.pins, (*files, *pinned_version.charts_beside(files, facts.settings))
        ),
        named=partial(pinned_version.named, facts.release, facts.settings),
        render=partial(rendered, facts, limited),
    )


def rendered(facts: Facts, connections: Connections, document: dict[str, Any]) -> Rendering:
    """What the recorded chart digest renders to, with all that the Application says and the values it contains."""
    chart = facts.release.chart
    assert chart is not None  # noqa: S101  the caller asked
    application = status.read(document)

    def read(address: str, _: str, path: str) -> bytes | None:
        side = umbrella_render.repository(connections, application.name, address)
        revision = next(s.revision for s in application.sources if s.repository == address)
        blob = side.files(revision, [path])[path]
        return blob.content if blob else None

    wanted = render_inputs.render_inputs(document, read, chart=chart.reference.rpartition("/")[2])
    fetched = published.fetch(connections.registry, f"{chart.reference}@{chart.digest}")
    if fetched is None:
        raise Stop(
            "missing-file",
            f"The chart {chart.reference}@{chart.digest} is not in the registry.",
            "The registry contained the chart when the release was recorded, so somebody deleted the chart.",
            "Release a new version.",
        )
    files = package.unpack(fetched.archive, chart.reference)
    place = wanted.chart
    in_git = f"{place.path.strip('/.')}/Chart.yaml".lstrip("/") if place.kind == "git" else ""
    if in_git and umbrella_render.is_umbrella(read(place.url, "", in_git), facts.settings):
        around = umbrella_render.around(facts.settings, chart, fetched.archive, connections, application)
        objects = umbrella_render.render(document, place, around)
    else:
        objects = render.render(fetched.archive, wanted.inputs, where=application.name)
    return Rendering(objects=tuple(dict(one.body) for one in objects), unsteady=comparing.unsteady(files))
