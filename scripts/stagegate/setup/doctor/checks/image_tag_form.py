"""image-tag-form: charts and pins use image tags in the form that image-tags writes."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.pins import PinPlace
from stagegate.settings import Settings
from stagegate.setup.doctor import pinned
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_WHY = "image-tags would write {ours}, so the cluster would pull a tag that does not exist."


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for pins with another form of tag, and for charts with another default."""
    for config, settings in facts.valid:
        of_pins = list(_pins(facts, settings, config))
        yield from of_pins
        chart = next((c for c in facts.survey.charts if c.path == _path(settings)), None)
        form = settings.image_tag.replace("{app}", settings.app)
        if chart is None or not chart.default_tag or of_pins or _prefixed(settings, chart.default_tag):
            continue
        if chart.default_tag != form:
            covered = bool(settings.own_chart and settings.own_chart.image_tag_value)
            yield finding(
                "note" if covered else "error",
                f"By default, the chart {chart.path} uses the image tag {_example(chart.default_tag)}.",
                _WHY.format(ours=_example(form))
                if not covered
                else f"The pins set {_example(form)}, so an installation of the chart without the pins "
                "would not find its images.",
                f'Write `image-tag: "{chart.default_tag}"` in {config}, or use {_example(form)} in '
                "the chart.",
                file=config,
            )


def _pins(facts: DoctorFacts, settings: Settings, config: str) -> Iterator[Finding]:
    expected = settings.image_tag.replace("{app}", settings.app)
    for environment in settings.environments:
        for pin in environment.pins:
            try:
                places = pinned.read(facts, settings, environment, pin).places
            except Stop:
                continue  # the check `pins-readable` reports it
            for place in places:
                form = _form(place)
                if form and form != expected and not _prefixed(settings, form):
                    yield finding(
                        "error",
                        f"{place.file}, line {place.line}, has the image tag {place.value}.",
                        _WHY.format(ours=_example(expected)),
                        f'Write `image-tag: "{form}"` in {config}.'
                        if form in ("{version}", "v{version}")
                        else f"Write {_example(expected)} in this line.",
                        file=place.file,
                        environment=environment.name,
                    )


def _form(place: PinPlace) -> str:
    """The form of a version tag; nothing for commits, digests and other texts."""
    if place.role != "image-tag" or "{version}" not in place.template:
        return ""
    tag = place.template.rpartition(":")[2] if "/" in place.template else place.template
    return tag.partition("@")[0]


def _prefixed(settings: Settings, form: str) -> bool:
    """Whether image-tags writes that form too: with the default form it also writes the Git tag."""
    return form.replace("{version}", "1.2.3") in settings.image_tags("1.2.3")


def _path(settings: Settings) -> str:
    return settings.own_chart.path if settings.own_chart and not settings.source else ""


def _example(form: str) -> str:
    return form.replace("{version}", "1.2.3")


CHECK = DoctorCheck(
    name="image-tag-form",
    looks_at="Whether the image tags in pins and the chart's default match the setting `image-tag`",
    cure="Set `image-tag` to the form that the pins and the chart use.",
    check=check,
)
