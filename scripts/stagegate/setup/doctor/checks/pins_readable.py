"""pins-readable: each environment names one exact release, in fields that a promotion can move."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate import pins
from stagegate.argocd_app import sources
from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.pins import PinPlace
from stagegate.pins import files as pin_files
from stagegate.settings import Environment, Settings
from stagegate.setup.doctor import pinned
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for environments without pins, pins that cannot be read, and pins that name no exact release."""
    for config, settings, environment in facts.places:
        if not environment.pins:
            yield finding(
                "error",
                f"{environment.name} has no pins.",
                "A promotion changes the version in the pins, so it would have no effect.",
                f"List the file under `pins` of {environment.name} in {config}.",
                file=config,
                environment=environment.name,
            )
        yield from _unpinned(facts, settings, environment, config)
        for pin in environment.pins:
            yield from _pin(facts, settings, environment, config, pin_files.file_of(pin), pin)


def _pin(
    facts: DoctorFacts, settings: Settings, environment: Environment, config: str, file: str, pin: object
) -> Iterator[Finding]:
    try:
        pin_file = pinned.read(facts, settings, environment, pin)  # type: ignore[arg-type]
    except Stop as stop:
        chart = _chart_line(facts, settings, file, config)
        why = (
            f"{stop.why} Promotions read the chart from {settings.source}, but `promote --local` "
            "reads only this repository."
        )
        yield finding(
            "warning" if chart else "error",
            stop.what,
            why if chart else stop.why,
            chart or stop.next,
            file=file,
            environment=environment.name,
        )
        return
    places = pin_file.places
    versions = {place.names["version"] for place in places if "version" in place.names}
    if len(versions) > 1:
        yield finding(
            "warning",
            f"{file} names {' and '.join(sorted(versions))} for {environment.name}.",
            "All pins of an environment must name one release, because a promotion changes them together.",
            "Write the version that runs into all of these pins.",
            file=file,
            environment=environment.name,
        )
    for place in places:
        if place.role == "chart-version" and place.template == "v{version}" and settings.own_chart:
            yield finding(
                "error",
                f"{file}, line {place.line}, has the chart version {place.value}.",
                f"helm-publish publishes the chart as {place.value[1:]}, without `v`, so Argo CD "
                "would find no chart.",
                f"Write {place.value[1:]} in this line.",
                file=file,
                line=place.line,
                environment=environment.name,
            )
        if place.moving:
            first = not environment.after
            yield finding(
                "warning" if first else "error",
                f"{file}, line {place.line}, has {place.value!r}, which is not an exact version.",
                "Argo CD deploys newer versions for this value by itself, so no promotion, "
                "rollback or hold can work.",
                pins.way_out(place, pin_file, settings) or "Write the exact version that runs now.",
                file=file,
                environment=environment.name,
            )


def _unpinned(
    facts: DoctorFacts, settings: Settings, environment: Environment, config: str
) -> Iterator[Finding]:
    """Findings for images of an app without a chart that no pin names, so that promotions would not change them."""
    if settings.chart != "none" or not environment.pins:
        return
    places: list[PinPlace] = []
    for pin in environment.pins:
        try:
            places += pinned.read(facts, settings, environment, pin).places
        except Stop:
            return  # the pins are not known
    named = {place.subject for place in places}
    if not all(place.subject for place in places):
        return  # a field that was named by hand may be of any image
    for image in settings.images:
        if places and image not in named:
            yield finding(
                "warning",
                f"No pin of {environment.name} names the image {image}.",
                "A promotion would not change this image, so its version would stay the same.",
                f"List the file that names the image under `pins` of {environment.name}, or remove it from "
                "`images` in "
                f"{config}.",
                file=config,
                environment=environment.name,
            )


def _chart_line(facts: DoctorFacts, settings: Settings, file: str, config: str) -> str:
    """The missing setting for the chart of an app, in a pins repository with a pin that names a chart."""
    if settings.chart != "none" or not settings.source:
        return ""
    for document in facts.applications():
        for source in sources.of(document.content) if document.file == file else ():
            if source.kind == "registry" and source.chart:
                where = source.address.removeprefix("oci://")
                return (
                    f"{config} does not name the app's chart. Add to it: chart: {{path: "
                    f'charts/{source.chart}, repository: "oci://{where}"}}'
                )
    return ""


CHECK = DoctorCheck(
    name="pins-readable",
    looks_at="Each pin: whether the file exists, whether its fields belong to the app, and whether they "
    "name one version",
    cure="Write an exact version, in a form that docs/pins.md lists.",
    check=check,
)
