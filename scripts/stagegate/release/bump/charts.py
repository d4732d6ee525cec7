"""Reads the published chart versions of apps: no later release may use them, with or without a tag."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.release.bump.plan_facts import BumpFacts
from stagegate.release.bump.tags import is_version
from stagegate.release.bump.versioned_app import VersionedApp
from stagegate.runner import log
from stagegate.settings import Settings


def added(
    registry: Registry, apps: Sequence[VersionedApp], all_facts: Sequence[BumpFacts]
) -> tuple[BumpFacts, ...]:
    """The facts with the published versions of each app's own chart. An unreachable registry is a warning."""
    return tuple(
        msgspec.structs.replace(facts, charts=_published(registry, app.settings))
        for app, facts in zip(apps, all_facts, strict=True)
    )


def _published(registry: Registry, settings: Settings) -> tuple[str, ...]:
    if settings.own_chart is None:
        return ()
    try:
        tags = registry.tags(settings.chart_reference.removeprefix("oci://"))
    except Stop as stop:
        # A warning is enough: helm-publish refuses a version that exists.
        log.say(
            f"warning: the versions of {settings.chart_reference} could not be read, so the "
            f"registry may already have the next version: {stop.what} {stop.why}"
        )
        return ()
    versions = (tag.replace("_", "+") for tag in tags)
    return tuple(version for version in versions if is_version(version))
