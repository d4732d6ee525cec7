"""Reads the shared policy that the settings of an app extend."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from stagegate import settings as settings_file
from stagegate.clients import hub
from stagegate.errors import Stop
from stagegate.settings import Settings, Shared, shared_policy

_read: WeakKeyDictionary[hub.Hub, dict[str, Shared]] = WeakKeyDictionary()


def read(pins: hub.Hub, head: str, extends: str) -> Shared:
    """The shared file, from the default branch of its repository; for many apps it is read once.

    `head` is the newest commit of the pins repository's default branch. Stop(unknown-state) where the file cannot
    be read: without it nobody knows what the policy is.
    """
    kept = _read.setdefault(pins, {})
    if extends not in kept:
        repository, path = shared_policy.address(extends)
        place = f"{repository or pins.repository}//{path}"
        try:
            source = pins.beside(repository) if repository else pins
            at = source.default_head() if repository else head
            blob = source.files(at, [path])[path]
        except Stop as stop:
            raise _unreadable(place, f"{stop.what} {stop.why}") from stop
        if blob is None:
            raise _unreadable(place, "The default branch does not have this file.")
        kept[extends] = Shared(place=place, content=blob.content, blob=blob.oid)
    return kept[extends]


def settings_of(pins: hub.Hub, head: str, content: bytes, file: str) -> tuple[Settings, str]:
    """The settings of a file of the pins repository with the shared policy below them, and the blob of that (empty
    without any)."""
    own = settings_file.parse(content, file)
    if not own.extends:
        return own, ""
    shared = read(pins, head, own.extends)
    return settings_file.extended(content, file, shared), shared.blob


def _unreadable(place: str, why: str) -> Stop:
    return Stop(
        "unknown-state",
        f"The shared policy {place} cannot be read.",
        why,
        "Correct `extends`. For a private repository use a GitHub App that is installed there too (`app-id`, "
        "`app-key`), because a job's own token reads only its own repository.",
    )
