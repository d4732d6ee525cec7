"""What types cannot say: names that must exist, orders that must end, choices that exclude each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagegate.settings.app import Settings
from stagegate.settings.release import ChartSettings

_ALL = "`all` means every app or environment in commands and marks, so that none can be called so"


def find(settings: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each contradiction as the keys that lead to it, and a sentence."""

    if settings.app == "all":
        yield ("app",), _ALL
    names = [environment.name for environment in settings.environments]
    for index, environment in enumerate(settings.environments):
        here = ("environments", index)
        if names.index(environment.name) != index:
            yield (*here, "name"), f"environment {environment.name!r} is declared twice"
        if environment.name == "all":
            yield (*here, "name"), _ALL
        for name in environment.after:
            if name not in names or name == environment.name:
                yield (*here, "after"), f"after names {name!r}, which is no other environment"
        mergers = (environment.promotion.merge, environment.promotion.rollback_merge)
        if environment.promotion.approvals == 0 and "stagegate" in mergers and environment.after:
            yield (
                (*here, "promotion"),
                "approvals: 0 where stagegate merges is only for environments without after",
            )
        if environment.promotion.approvals and environment.promotion.strategy == "direct":
            yield (
                (*here, "promotion"),
                "approvals need a pull request, and strategy: direct opens none",
            )
        if environment.promotion.draft and environment.promotion.merge == "stagegate":
            yield (
                (*here, "promotion"),
                "a draft cannot be merged: draft: true is not for what stagegate merges",
            )
        if settings.trust.level == "protected" and "merge-queue" in mergers:
            yield (
                (*here, "promotion"),
                "merge: merge-queue is not for trust: protected yet, because a merge group's status is not the "
                "App's; use person or stagegate",
            )
        for freeze in environment.freeze:
            if freeze.to < freeze.from_:
                yield (*here, "freeze"), f"the freeze ends ({freeze.to}) before it begins ({freeze.from_})"
        if bool(environment.gate.scenarios) and bool(environment.gate.command):
            yield (*here, "gate"), "a gate has scenarios or a command, not both"
        if environment.gate.command and environment.gate.required and not environment.gate.junit:
            yield (
                (*here, "gate"),
                "gate.required names test cases, and of a command only its junit report has them",
            )
    if _cycle(settings):
        yield ("environments",), f"after goes in a circle: {' -> '.join(_cycle(settings))}"
    if settings.trust.level == "protected" and not settings.trust.app:
        yield ("trust",), "trust: protected needs `app`, the slug of the GitHub App that writes the states"
    chart = settings.chart
    if isinstance(chart, ChartSettings) and bool(chart.path) == bool(chart.reference):
        yield ("chart",), "a chart has either path (ours, with repository) or reference (not ours)"
    if isinstance(chart, ChartSettings) and chart.path and not chart.repository.startswith("oci://"):
        yield ("chart",), "chart.repository must be where it is published, as oci://host/path"
    for index, image in enumerate(settings.images):
        if "@" in image or ":" in image.rsplit("/", 1)[-1] or "/" not in image:
            yield (
                ("images", index),
                f"{image!r} must be a repository such as ghcr.io/acme/shop, without tag",
            )
    if not re.fullmatch(r"[A-Za-z0-9._/-]*", settings.version.tag_prefix):
        yield ("version", "tag-prefix"), "a tag prefix has only letters, digits and . _ / -"


def _cycle(settings: Settings) -> tuple[str, ...]:
    """Names along a circle of `after`, or nothing."""
    after = {environment.name: environment.after for environment in settings.environments}

    def walk(name: str, trail: tuple[str, ...]) -> tuple[str, ...]:
        if name in trail:
            return (*trail[trail.index(name) :], name)
        for before in after.get(name, ()):
            if found := walk(before, (*trail, name)):
                return found
        return ()

    return next((found for name in after if (found := walk(name, ()))), ())
