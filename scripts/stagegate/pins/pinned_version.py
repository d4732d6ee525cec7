"""The release that the pins of each environment name, and the edit that would change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec

from stagegate import pins, yaml_edit
from stagegate.errors import Stop
from stagegate.evidence.records import Record
from stagegate.model import Edit, Release, to_json
from stagegate.pins.files import file_of, is_glob
from stagegate.pins.shapes import umbrella_chart
from stagegate.settings import Environment, PinSettings, Settings


class PinnedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The release that an environment's pins name: a version, a commit (tags `sha-<commit>`), or why neither.

    `digests`: of images and chart, where the pins name any. `is_range`: Argo CD resolves it, and it moves by
    itself.
    """

    environment: str
    version: str = ""
    commit: str = ""
    digests: Mapping[str, str] = {}
    is_range: bool = False
    trouble: str = ""


def pin_files(settings: Settings) -> tuple[str, ...]:
    """Every file that holds a pin or moves with one, once, in the order of the settings."""
    return tuple(dict.fromkeys(file for e in settings.environments for file in files_of(e)))


def files_of(environment: Environment) -> tuple[str, ...]:
    """The files that hold an environment's pins, and those that move with them (a chart's lock)."""
    files = dict.fromkeys(file_of(pin) for pin in environment.pins)
    return (*files, *(lock for file in files if (lock := pins.companion(file))))


def charts_beside(files: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """The Chart.yaml beside each file: it says below which key values of an umbrella chart are our chart's."""
    if not settings.chart_reference:
        return ()
    beside = dict.fromkeys(
        str(PurePosixPath(file).with_name("Chart.yaml")) for file in files if file.endswith((".yaml", ".yml"))
    )
    return tuple(chart for chart in beside if chart not in files)


def likely_files(config: str, settings: Settings) -> tuple[str, ...]:
    """The files that an app most likely needs: its settings (`config`), pins, and the charts beside them."""
    named = (path for path in pin_files(settings) if not is_glob(path))
    paths = tuple(dict.fromkeys((config, *named)))
    return (*paths, *charts_beside(paths, settings))


def standing(
    environment: Environment, files: Mapping[str, bytes | None], settings: Settings
) -> PinnedVersion:
    """The version (or commit) that all pins of an environment name; trouble in words when they name none."""
    versions: dict[str, str] = {}
    commits: dict[str, str] = {}
    digests: dict[str, str] = {}
    try:
        for pin in environment.pins:
            pin_file = read(pin, files, settings, environment)
            if (moving := pins.range_of(pin_file)) is not None:
                trouble = f"{pin_file.file} line {moving.line} has {moving.value!r}, which moves by itself"
                return PinnedVersion(environment=environment.name, is_range=True, trouble=trouble)
            running = pins.running(pin_file, settings)
            versions |= {running.version: pin_file.file} if running.version else {}
            commits |= {running.commit: pin_file.file} if running.commit else {}
            if clash := [
                one for one, digest in running.digests.items() if digests.get(one, digest) != digest
            ]:
                return PinnedVersion(
                    environment=environment.name, trouble=f"the pins name different values for {clash[0]}"
                )
            digests |= running.digests
        for file in dict.fromkeys(map(file_of, environment.pins)):
            lock, chart = files.get(pins.companion(file)), files.get(file)
            if lock and chart and (versions_by_file := pins.mislocked(pins.companion(file), lock, chart)):
                return PinnedVersion(environment=environment.name, trouble=versions_by_file)
    except Stop as stop:
        return PinnedVersion(environment=environment.name, trouble=f"{stop.what} {stop.why}")
    if len(versions) > 1:
        versions_by_file = ", ".join(f"{file} names {version}" for version, file in versions.items())
        return PinnedVersion(environment=environment.name, trouble=versions_by_file)
    if len(commits) > 1:
        return PinnedVersion(
            environment=environment.name, trouble=f"the pins name the commits {', '.join(commits)}"
        )
    version, commit = next(iter(versions), ""), next(iter(commits), "")
    trouble = "" if version or commit else "the pins name no version"
    return PinnedVersion(
        environment=environment.name, version=version, commit=commit, digests=digests, trouble=trouble
    )


def astray(standing: PinnedVersion, release: Release, app: str) -> str:
    """A sentence about a commit or digest that pins name and that is not the release's, or nothing (I3)."""
    if not release.commit.startswith(standing.commit):
        commits = f"commit {standing.commit[:12]}, but {release.version} is commit {release.commit[:12]}"
        return f"the pins name {commits}"
    for subject, digest in standing.digests.items():
        wanted = pins.digest_of("" if subject == app else subject, release)
        if digest != wanted:
            return (
                f"the pins name the digest {digest} of {subject}, but {release.version} has "
                f"{wanted or 'none'}"
            )
    return ""


def named(release: Release, settings: Settings, document: Mapping[str, Any]) -> str:
    """The version that a live Application's own spec names; a commit when that is not this release's."""
    kept = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "spec": document.get("spec") or {}}
    try:
        running = pins.running(pins.read("Application", to_json(kept), settings), settings)
    except Stop:
        return ""
    return running.version or (
        release.version if running.commit and release.commit.startswith(running.commit) else running.commit
    )


def resolved(standing: PinnedVersion, records: Mapping[str, Sequence[Record]]) -> PinnedVersion:
    """A standing that names only a commit, with the version that evidence knows for that commit."""
    if standing.version or not standing.commit:
        return standing
    every = (r.evidence for of_place in records.values() for r in of_place)
    version = next((e.version for e in every if e and e.commit.startswith(standing.commit)), "")
    trouble = (
        ""
        if version
        else f"the pins name commit {standing.commit[:12]}, but no evidence is about this commit"
    )
    return msgspec.structs.replace(standing, version=version, trouble=trouble)


def read(
    pin: str | PinSettings,
    files: Mapping[str, bytes | None],
    settings: Settings,
    environment: Environment | None = None,
) -> pins.PinFile:
    """A pin's file, parsed by its shape. Stop(missing-file) when it is not in the repository.

    `environment` tells the Applications and list elements of a file that several environments share apart.
    """
    file = file_of(pin)
    content = files.get(file)
    if content is None:
        raise Stop(
            "missing-file",
            f"{file} is not in the pins repository.",
            "The settings name this file as a pin, but the default branch does not have it.",
            "Correct `pins` in the settings, or add the file.",
            file=file,
        )
    return _parsed(pin, content, settings, environment, _aliases(file, files, settings))


_MOST_PARSED = 512
# One run asks a dozen times for the same pin. The settings are part of each entry, so that no other settings can
# have the same id while the entry is here.
_PARSED: dict[tuple[object, ...], tuple[Settings, Environment | None, pins.PinFile]] = {}


def _parsed(
    pin: str | PinSettings,
    content: bytes,
    settings: Settings,
    environment: Environment | None,
    aliases: tuple[str, ...],
) -> pins.PinFile:
    key = (pin, content, id(settings), id(environment), aliases)
    if key not in _PARSED:
        if len(_PARSED) >= _MOST_PARSED:
            _PARSED.clear()
        parsed = pins.read(pin, content, settings, environment, aliases=aliases)
        _PARSED[key] = (settings, environment, parsed)
    return _PARSED[key][2]


def _aliases(file: str, files: Mapping[str, bytes | None], settings: Settings) -> tuple[str, ...]:
    """Keys below which values beside an umbrella chart belong to our chart."""
    chart = files.get(str(PurePosixPath(file).with_name("Chart.yaml")))
    if not chart or not settings.chart_reference:
        return ()
    return tuple(
        name for node in yaml_edit.documents(chart, file) for name in umbrella_chart.aliases(node, settings)
    )


def edited(
    environment: Environment,
    files: Mapping[str, bytes | None],
    release: Release,
    settings: Settings,
    repository: str,
) -> tuple[dict[str, bytes], tuple[Edit, ...]]:
    """The files that change and every edit, all pins of the environment together. Stop(ambiguous-pin)."""
    now = dict(files)
    edits: list[Edit] = []
    by_file: dict[str, list[pins.PinFile]] = {}
    for pin in environment.pins:
        by_file.setdefault(file_of(pin), []).append(read(pin, files, settings, environment))
    for file, pin_files in by_file.items():
        content, changes = pins.edit(pins.together(pin_files), release, settings, repository=repository)
        now[file] = content
        edits += changes
    for file in {file_of(pin): None for pin in environment.pins}:
        lock, before, after = files.get(pins.companion(file)), files.get(file), now[file]
        if lock is not None and before is not None and after is not None and before != after:
            moved, changes = pins.relock(pins.companion(file), lock, before, after, repository=repository)
            now[pins.companion(file)] = moved
            edits += changes
    changed = {
        file: content for file, content in now.items() if content is not None and content != files[file]
    }
    return changed, tuple(edits)
