"""What of an environment differs between two commits, and which of it is more than the release it names."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from stagegate import pins
from stagegate.argocd_app import render_inputs
from stagegate.argocd_app.same_repository import same_repository
from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.pins import files as pin_files
from stagegate.pins import pinned_version
from stagegate.pins.tree import PinsTree
from stagegate.settings import Settings

_DEEP = 8  # kustomizations that name kustomizations


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What differs: `files` of pins at all, `besides` in more than the scalars that name the release (`hidden`:
    no rendering of an Application would show it), `values` that its Applications name, `content` of folders and
    files that are deployed with it."""

    files: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    content: tuple[str, ...] = ()

    @property
    def more(self) -> tuple[str, ...]:
        """Everything that differs but the release."""
        return (*self.besides, *self.values, *self.content)

    @property
    def any(self) -> bool:
        """Whether the environment is touched."""
        return bool(self.files or self.more)


def changed(
    repository: hub.Hub, base: str, settings: Settings, environment: str, old: PinsTree, new: PinsTree
) -> Changed:
    """What two commits of the pins repository, whose default branch is `base`, have unlike for an environment."""
    policy = settings.environment(environment)
    files = tuple(
        file for file in pinned_version.files_of(policy) if old.contents[file] != new.contents[file]
    )
    values = values_of(repository, settings, environment, base, new.contents)
    folders = _folders(repository, settings, environment, base, new)
    known = {*pinned_version.pin_files(settings), *values}
    differing = repository.differing(old.at, new.at, sorted({*values, *folders})) if values or folders else ()
    besides = tuple(file for file in files if _is_more(file, settings, old.contents, new.contents))
    return Changed(
        files=files,
        besides=besides,
        hidden=tuple(
            f for f in besides if f not in values and not _of(f, settings, environment, new.contents)
        ),
        values=tuple(file for file in differing if file in values and file not in files),
        content=tuple(file for file in differing if file not in known),
    )


def values_of(
    repository: hub.Hub,
    settings: Settings,
    environment: str,
    base: str,
    contents: Mapping[str, bytes | None],
) -> frozenset[str]:
    """Paths of the values files in the pins repository that an environment's Applications name."""
    named: set[str] = set()

    def note(address: str, revision: str, path: str) -> bytes:
        if is_repository(repository, address) and is_branch(revision, base):
            named.add(path)
        return b""

    for document in _of("", settings, environment, contents):
        try:
            render_inputs.render_inputs(document, note, chart=settings.chart_reference.rpartition("/")[2])
        except Stop:
            continue  # what the pin says is judged where it changes; here only its values are looked for
    return frozenset(named)


def is_repository(side: hub.Hub, address: str) -> bool:
    """Whether a Git address may name this repository: what nobody can tell is watched too."""
    return same_repository(address, f"{side.server_url}/{side.repository}") != "foreign"


def is_branch(revision: str, branch: str) -> bool:
    """Whether Argo CD takes a revision for this branch, the default one."""
    return revision in ("", "HEAD", branch, f"refs/heads/{branch}")


def _of(
    file: str, settings: Settings, environment: str, contents: Mapping[str, bytes | None]
) -> list[dict[str, Any]]:
    """The Applications among an environment's pins; with `file` only those in it."""
    policy = settings.environment(environment)
    found: list[dict[str, object]] = []
    for pin in policy.pins:
        if file in ("", pin_files.file_of(pin)):
            with suppress(Stop):
                found += pinned_version.read(pin, contents, settings, policy).applications
    return [document for document in found if render_inputs.is_application(document)]


def _folders(repository: hub.Hub, settings: Settings, environment: str, base: str, new: PinsTree) -> set[str]:
    """Files and folders of the pins repository that are deployed with the pins: of charts, kustomizations and
    sources of its default branch."""
    own = pinned_version.files_of(settings.environment(environment))
    others = set(pinned_version.pin_files(settings)).difference(own)
    found = {
        folder
        for file in own
        if (folder := pin_files.folder(file)) is not None
        and (not pin_files.is_kustomization(file) or not _holds(folder, others))
    }
    found |= _named(repository, {file: new.contents[file] for file in own}, new.at)
    for document in _of("", settings, environment, new.contents):
        spec: Any = document.get("spec") or {}
        for source in spec.get("sources") or [spec.get("source") or {}]:
            path, revision = str(source.get("path") or ""), str(source.get("targetRevision") or "")
            if path and is_repository(repository, str(source.get("repoURL"))) and is_branch(revision, base):
                clean = posixpath.normpath(path).strip("/")
                found.add("" if clean == "." else clean)
    return found


def _holds(folder: str, files: set[str]) -> bool:
    return any(file.startswith(f"{folder}/" if folder else "") for file in files)


def _named(repository: hub.Hub, files: Mapping[str, bytes | None], at: str) -> set[str]:
    """What kustomizations and charts name, and the kustomizations among it again."""
    found: set[str] = set()
    seen: set[str] = set()
    for _ in range(_DEEP):
        below: set[str] = set()
        for file, content in files.items():
            try:
                found |= pin_files.named(file, content)
                below |= pin_files.bases(file, content)
            except Stop:
                continue  # where it changes, that is judged
        inner = [f"{path}/{name}" for path in sorted(below - seen) for name in pin_files.KUSTOMIZATIONS]
        if not inner:
            break
        seen |= below
        files = {f: blob.content if blob else None for f, blob in repository.files(at, inner).items()}
    return found


def _is_more(
    file: str, settings: Settings, old: Mapping[str, bytes | None], new: Mapping[str, bytes | None]
) -> bool:
    """Whether a file differs in more than the releases it names; what cannot be read does."""
    before, after = old[file], new[file]
    if before is None or after is None:
        return True
    chart = next((one for one in pinned_version.pin_files(settings) if pins.companion(one) == file), "")
    try:
        if chart:
            was, now = old[chart], new[chart]
            return not was or not now or pins.relock(file, before, was, now)[0] != after
        places = [_places(file, settings, side) for side in (old, new)]
        return pins.besides(before, file, places[0]) != pins.besides(after, file, places[1])
    except Stop:
        return True


def _places(file: str, settings: Settings, contents: Mapping[str, bytes | None]) -> list[pins.PinPlace]:
    """Every scalar of a file that names a release, whichever environment's."""
    return [
        place
        for environment in settings.environments
        for pin in environment.pins
        if pin_files.file_of(pin) == file
        for place in pinned_version.read(pin, contents, settings, environment).places
    ]
