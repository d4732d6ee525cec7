"""The images of a rendering: which would run, by which digest, and which are replaced by others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stagegate.chart.objects import RenderedObject
from stagegate.clients import registry
from stagegate.difference import Difference
from stagegate.difference.change import ImageSeen
from stagegate.errors import Stop
from stagegate.model import full_name
from stagegate.settings import Settings

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def seen(
    source: registry.Registry, rendered: Iterable[RenderedObject], settings: Settings
) -> tuple[ImageSeen, ...]:
    """Every image that would run, each once; of first-party ones the digest that the tag has now."""
    return tuple(_image(source, settings.images, one) for one in sorted(set(_references(rendered))))


def replaced(difference: Difference, ours: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """First-party images that run no more, each with an image that runs now and did not before."""
    came = [change.repository for change in difference.images if not change.before]
    for change in difference.images:
        if full_name(change.repository) in map(full_name, ours) and not change.after and came:
            yield change.repository, came[0]


def _references(rendered: Iterable[RenderedObject]) -> Iterator[str]:
    """Images of every container, in any pod template of an object."""

    def walk(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in _CONTAINERS and isinstance(inner, list):
                    yield from (str(c["image"]) for c in inner if isinstance(c, dict) and c.get("image"))
                else:
                    yield from walk(inner)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)

    for one in rendered:
        yield from walk(one.body)


def _image(source: registry.Registry, ours: tuple[str, ...], reference: str) -> ImageSeen:
    """An image as rendered; of first-party ones the digest that the tag has now."""
    try:
        parsed = registry.parse(reference)
    except Stop as stop:
        return ImageSeen(reference=reference, repository=reference, trouble=stop.why)
    repository = full_name(parsed.name)
    if repository not in map(full_name, ours):
        return ImageSeen(reference=reference, repository=repository)
    try:
        digest = source.digest(parsed)
    except Stop as stop:
        return ImageSeen(reference=reference, repository=repository, trouble=f"{stop.what} {stop.why}")
    return ImageSeen(reference=reference, repository=repository, digest=digest or "")
