"""published-tags: pinned tags exist in the registry, and no stray tag is a higher version than every release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

from stagegate.errors import Stop
from stagegate.model import Finding
from stagegate.pins import PinPlace
from stagegate.settings import Environment, Settings
from stagegate.setup import next_steps
from stagegate.setup.doctor import pinned
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.versions import Version


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for pinned tags of images, and for tags without a Git tag."""
    repositories = {
        repository.name: repository for repository in facts.registry or () if not repository.trouble
    }
    for _, settings in facts.valid:
        for image in settings.images:
            tags = repositories[image].tags if image in repositories else ()
            if not tags:
                continue
            yield from _pinned(facts, settings, image, set(tags))
            if not settings.source:
                yield from _stray(facts, settings, image, tags)
        chart = settings.chart_reference.removeprefix("oci://")
        if settings.own_chart is not None and chart in repositories:
            yield from _unpublished(facts, settings, chart, set(repositories[chart].tags))


def _pinned(facts: DoctorFacts, settings: Settings, image: str, tags: set[str]) -> Iterator[Finding]:
    for environment in settings.environments:
        for place in _places(facts, settings, environment):
            value = place.value.rpartition(":")[2] if "/" in place.value else place.value
            tag = value.partition("@")[0]
            ours = place.role == "image-tag" and place.subject in ("", image) and not place.moving
            if ours and tag and tag not in tags:
                yield finding(
                    "error",
                    f"{environment.name} is pinned to {image}:{tag}, but the registry does not "
                    "have this tag.",
                    f"The newest tags in the registry are {', '.join(sorted(tags)[-5:])}.",
                    f"Publish the image with this tag, or correct {place.file}, line {place.line}.",
                    file=place.file,
                    environment=environment.name,
                )


def _unpublished(facts: DoctorFacts, settings: Settings, chart: str, tags: set[str]) -> Iterator[Finding]:
    """Findings for pinned versions of the chart that are not published."""
    missing: dict[str, list[tuple[Environment, PinPlace]]] = {}
    for environment in settings.environments:
        for place in _places(facts, settings, environment):
            version = place.names.get("version", "")
            if place.role == "chart-version" and version and version.replace("+", "_") not in tags:
                missing.setdefault(version, []).append((environment, place))
    for version, found in missing.items():
        names = ", ".join(dict.fromkeys(environment.name for environment, _ in found))
        place = found[0][1]
        yield finding(
            "error",
            f"{names} {'is' if len(found) == 1 else 'are'} pinned to the chart {chart}:{version}, but the registry "
            "does not have this version.",
            "Argo CD cannot deploy this chart, and a promotion cannot be compared with what runs.",
            _publish(facts, settings, version)
            or f"Publish the chart in this version, or correct {place.file}, line {place.line}.",
            file=place.file,
            environment=found[0][0].name if len(found) == 1 else "",
        )


def _publish(facts: DoctorFacts, settings: Settings, version: str) -> str:
    """The command to publish a chart of this repository; nothing for another chart."""
    own = settings.own_chart
    if own is None or settings.source or f"{own.path}/Chart.yaml" not in facts.survey.paths:
        return ""
    name = settings.chart_reference.rpartition("/")[2]
    return f"Publish it once: {next_steps.publish_chart(own.path, name, version, own.repository)}"


def _places(facts: DoctorFacts, settings: Settings, environment: Environment) -> Iterator[PinPlace]:
    """The places of an environment's pins, as far as they can be read."""
    for pin in environment.pins:
        with suppress(Stop):  # pins-readable reports it
            yield from pinned.read(facts, settings, environment, pin).places


def _stray(facts: DoctorFacts, settings: Settings, image: str, tags: tuple[str, ...]) -> Iterator[Finding]:
    """Findings for a version tag above the newest Git tag, which stops `latest` from moving."""
    newest = _newest(settings, facts.survey.tags)
    if newest is None:
        return
    forms = settings.image_tags("1.0.0")
    for tag in tags:
        for form in forms:
            start, _, end = form.partition("1.0.0")
            core = tag[len(start) : len(tag) - len(end) or None]
            if not (tag.startswith(start) and tag.endswith(end) and Version.is_valid(core)):
                continue
            if Version.parse(core) > newest:
                host = image.partition("/")[0]
                cure = (
                    _deletion(image, tag)
                    if host == "ghcr.io"
                    else f"Delete the tag in the registry, for example with: crane delete {image}:{tag}"
                )
                yield finding(
                    "warning",
                    f"The tag {image}:{tag} is higher than every release.",
                    f"The newest Git tag is {newest}, so image-tags would never update `latest` "
                    "and other floating tags.",
                    cure,
                )
                break


def _deletion(image: str, tag: str) -> str:
    """The command that deletes the version of a package on GHCR with a tag."""
    owner, _, name = image.removeprefix("ghcr.io/").partition("/")
    versions = f"/orgs/{owner}/packages/container/{quote(name, safe='')}/versions"
    filter_by_tag = f'.[] | select(.metadata.container.tags | index("{tag}")) | .id'
    return (
        f"gh api --method DELETE \"{versions}/$(gh api --paginate {versions} --jq '{filter_by_tag}')\" (for a "
        "person's "
        "account: /users instead of /orgs)"
    )


def _newest(settings: Settings, tags: tuple[str, ...]) -> Version | None:
    prefix = settings.version.tag_prefix
    versions = (tag[len(prefix) :] for tag in tags if tag.startswith(prefix))
    valid = [Version.parse(version) for version in versions if Version.is_valid(version)]
    return max(valid, default=None)


CHECK = DoctorCheck(
    name="published-tags",
    looks_at="Image tags and charts that pins ask for, and stray version tags above every release",
    cure="Publish or delete the tag.",
    check=check,
    needs=frozenset({"registry"}),
)
