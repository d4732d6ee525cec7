"""Checks whether a Git revision that Argo CD compared contains the pins and values of this gate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from stagegate.argocd_app.status import Application, SourceSeen
from stagegate.clients.hub import Hub
from stagegate.gate.expected import Commit
from stagegate.model import Release
from stagegate.runner import log

_LISTED = 300  # GitHub lists no more files for a comparison


def reader(
    repositories: Mapping[str, Hub],
    pins: str,
    head: str,
    release: Release,
    pin_files: Iterable[str],
    pinned_at: Callable[[str], str],
) -> Callable[[SourceSeen, Application], Commit]:
    """A function that returns whether a source's revision is current, behind or superseded.

    `head` is the pins repository's commit when the gate began, `pinned_at` reads the version the pins name at
    a commit. One request, or two of an app, for each revision never seen before.
    """
    files = tuple(pin_files)

    def classify(source: SourceSeen, application: Application) -> Commit:
        name = next(n for n in repositories if source.address.endswith("/" + n.lower()))
        watched = (*files, *_values(application))
        base = head if name == pins else release.commit
        if source.revision == base:
            return "current"
        if name == pins:
            return of_pins(source, watched)
        compared = repositories[name].compare(base, source.revision)
        log.debug(f"comparing {source.revision[:12]} with {base[:12]} in {name}: {compared.status}")
        if compared.status == "identical":
            return "current"
        if compared.status == "ahead":
            return "superseded" if _touches(compared.files, source, watched) else "current"
        if compared.status != "behind":
            return "behind"
        missing = repositories[name].compare(source.revision, base).files
        return "behind" if _touches(missing, source, watched) else "current"

    def of_pins(source: SourceSeen, watched: tuple[str, ...]) -> Commit:
        """What the pins repository's revision is: seen from it, one comparison tells what it lacks, too."""
        compared = repositories[pins].compare(source.revision, head)
        log.debug(f"comparing {head[:12]} with {source.revision[:12]} in {pins}: {compared.status}")
        if compared.status == "identical":
            return "current"
        if compared.status == "behind":  # the revision is newer
            return "current" if pinned_at(source.revision) == release.version else "superseded"
        lacks_nothing = compared.status == "ahead" and not _touches(compared.files, source, watched)
        return "current" if lacks_nothing else "behind"

    return classify


def _values(application: Application) -> tuple[str, ...]:
    """Values files of all sources, without the `$name/` in front."""
    files = (file for source in application.sources for file in source.value_files)
    return tuple(file.partition("/")[2] if file.startswith("$") else file for file in files)


def _touches(changed: tuple[str, ...], source: SourceSeen, watched: tuple[str, ...]) -> bool:
    """Whether a change affects the source; true for a list that GitHub may have cut."""
    folder = source.path.strip("/")
    inside = folder + "/" if folder not in ("", ".") else ""
    covers_all = bool(source.path) and not inside
    return (
        len(changed) >= _LISTED
        or any(file in watched for file in changed)
        or covers_all
        or bool(inside and any(file.startswith(inside) for file in changed))
    )
