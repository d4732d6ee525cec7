"""app-paths: in a repository of several apps, each has its own tags and its own commits."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.settings import Settings
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for prefixes that two apps share, and apps that count every commit."""
    built = [(config, settings) for config, settings in facts.valid if not settings.source]
    if len(built) < 2:
        return
    prefixes = [settings.version.tag_prefix for _, settings in built]
    for config, settings in built:
        prefix = settings.version.tag_prefix
        if prefixes.count(prefix) > 1:
            yield finding(
                "error",
                f"{settings.app} has the tag prefix `{prefix}`, which another app has too.",
                "One tag can name the version of one app only.",
                f"Write `tag-prefix: {settings.app}-v` under `version` in {config}.",
                file=config,
            )
        if not settings.version.paths and not _is_own_folder(config, settings):
            yield finding(
                "warning",
                f"Every commit counts for {settings.app}.",
                "Its settings and version files are not in one folder of their own, so a change of another "
                "app makes a version of this one.",
                f'Write `paths: ["<folder of {settings.app}>/**"]` under `version` in {config}.',
                file=config,
            )


def _is_own_folder(config: str, settings: Settings) -> bool:
    folder = posixpath.dirname(config)
    return bool(folder) and all(place.file.startswith(f"{folder}/") for place in settings.version.places)


CHECK = DoctorCheck(
    name="app-paths",
    looks_at="Several apps: a tag prefix and a set of paths for each",
    cure="Give each app `version.tag-prefix` and `version.paths`.",
    check=check,
)
