"""app-paths: in a repository of several apps, each has its own tags and its own commits."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.release.bump import paths
from stagegate.settings import Settings
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for prefixes that two apps share, and apps that count every commit."""
    built = [(config, settings) for config, settings in facts.valid if not settings.source]
    for config, settings in built:
        yield from _elsewhere(facts, settings, config)
    if len(built) < 2:
        return
    prefixes = [settings.version.tag_prefix for _, settings in built]
    for config, settings in built:
        prefix = settings.version.tag_prefix
        if prefixes.count(prefix) > 1:
            yield finding(
                "error",
                f"{settings.app} and another app have the same tag prefix `{prefix}`.",
                "A tag can only name the version of one app.",
                f"Write `tag-prefix: {settings.app}-v` under `version` in {config}.",
                file=config,
            )
        if not settings.version.paths and not _is_own_folder(config, settings):
            yield finding(
                "warning",
                f"Every commit counts for {settings.app}.",
                f"The settings and version files of {settings.app} are not in a separate folder, "
                f"so a change of another app also makes a new version of {settings.app}.",
                f'Write `paths: ["<folder of {settings.app}>/**"]` under `version` in {config}.',
                file=config,
            )


def _elsewhere(facts: DoctorFacts, settings: Settings, config: str) -> Iterator[Finding]:
    """`paths` that match nothing, or not the folder of the app's own version files."""
    globs = settings.version.paths
    if not globs:
        return
    if not any(paths.belongs(file, globs) for file in facts.survey.paths):
        yield finding(
            "error",
            f"No file belongs to {settings.app}: `paths` under `version` match nothing.",
            f"{', '.join(globs)} match no file, so no commit ever makes a version.",
            f"Correct `paths` in {config}.",
            file=config,
        )
        return
    folders = {posixpath.dirname(place.file) for place in settings.version.places} - {""}
    for folder in sorted(folders):
        files = [file for file in facts.survey.paths if file.startswith(f"{folder}/")]
        if files and not any(paths.belongs(file, globs) for file in files):
            yield finding(
                "warning",
                f"Commits in {folder} do not count for {settings.app}.",
                f"Its version is in {folder}, and `paths` ({', '.join(globs)}) match no file there.",
                f"Write `- {folder}/**` under `paths` in {config}.",
                file=config,
            )


def _is_own_folder(config: str, settings: Settings) -> bool:
    folder = posixpath.dirname(config)
    return bool(folder) and all(place.file.startswith(f"{folder}/") for place in settings.version.places)


CHECK = DoctorCheck(
    name="app-paths",
    looks_at="The files that belong to each app; of several apps, that each has its own tag prefix and paths",
    cure="Set `version.tag-prefix` and `version.paths` for each app.",
    check=check,
)
