"""The files that an Application names for Helm: values files and file parameters, in any repository.

https://argo-cd.readthedocs.io/en/stable/user-guide/helm/ and .../user-guide/multiple_sources/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stagegate.argocd_app import globs, sources
from stagegate.argocd_app.inputs import FileParameter, ValuesFile
from stagegate.argocd_app.sources import ApplicationSource, mapping
from stagegate.argocd_app.tree import inside
from stagegate.errors import Stop
from stagegate.patterns import pattern

Read = Callable[[str, str, str], bytes | None]
Find = Callable[[str, str, str], Sequence[str]]
_VARIABLE = pattern(r"\$(?:\{(\w+)\}|(\w+)|(\$))")


class HelmFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files that one source of an Application names for Helm."""

    application: Mapping[str, Any]
    source: ApplicationSource
    known: Mapping[str, str]
    read: Read
    find: Find | None

    def values(self) -> Iterator[ValuesFile]:
        """Values files, in their order; a pattern stands for all that fit, sorted."""
        settings = self.source.options("helm")
        optional = bool(settings.get("ignoreMissingValueFiles"))
        for entry in settings.get("valueFiles") or ():
            yield from self._values(str(entry), optional)

    def parameters(self) -> Iterator[FileParameter]:
        """Parameters whose value is the content of a file."""
        for entry in map(mapping, self.source.options("helm").get("fileParameters") or ()):
            written, name = str(entry.get("path") or ""), str(entry.get("name") or "")
            place = self._place(written)
            content = self._content(place) if place else None
            yield FileParameter(
                name=name, path=expand(written, self.known) if not place else place[2], content=content
            )

    def _values(self, written: str, optional: bool) -> Iterator[ValuesFile]:
        scheme = re.match(r"([a-z][a-z0-9+.-]*)://", written, re.IGNORECASE)
        if scheme and scheme[1].lower() not in ("http", "https"):
            raise self._refused(f"the URL scheme {scheme[1]!r} of {written} is not allowed")
        if scheme:
            raise self._unsupported(
                f"the values file {written}",
                "Move the file into a Git repository, and use its path in the Application.",
            )
        place = self._place(written)
        if place is None:  # beside the chart's own values.yaml
            yield ValuesFile(name=expand(written, self.known).lstrip("/"), optional=optional)
            return
        url, revision, path = place
        if not globs.is_pattern(path):
            content = self._content(place, optional=optional)
            yield ValuesFile(name=path, content=content or b"", optional=optional)
            return
        if self.find is None:
            raise self._unsupported(
                f"the values file {written}",
                "Move the file into a Git repository, and use its path in the Application.",
            )
        paths = sorted(self.find(url, revision, path))
        if not paths and not optional:
            raise self._missing(url, revision, path)
        for one in paths:
            content = self._content((url, revision, one), optional=optional)
            yield ValuesFile(name=one, content=content or b"", optional=optional)

    def _place(self, written: str) -> tuple[str, str, str] | None:
        """Repository, revision and path of a file that Git holds; None for one inside a packaged chart."""
        reference, _, rest = written.partition("/")
        if reference.startswith("$") and reference[1:] not in self.known:
            source = _referenced(self.application, reference[1:])
            path = posixpath.normpath(expand(rest, self.known))
            return source.address, source.revision or "HEAD", path
        if self.source.kind != "git":
            return None
        path = expand(written, self.known)
        plain = inside(self.source.path, path)
        if plain is None:
            raise self._refused(f"the file {written} is outside the repository")
        return self.source.address, self.source.revision or "HEAD", plain

    def _content(self, place: tuple[str, str, str], *, optional: bool = False) -> bytes | None:
        content = self.read(*place)
        if content is None and not optional:
            raise self._missing(*place)
        return content

    @property
    def _name(self) -> str:
        return str(mapping(self.application.get("metadata")).get("name") or "")

    def _missing(self, url: str, revision: str, path: str) -> Stop:
        return Stop(
            "missing-file",
            f"{url} has no file {path} at {revision}.",
            f"The Application {self._name} names this file under `helm`.",
            "Correct the name of the file, or set ignoreMissingValueFiles.",
            file=path,
        )

    def _refused(self, why: str) -> Stop:
        return Stop(
            "findings",
            f"The Application {self._name} names a file that Argo CD refuses to read.",
            f"{why[:1].upper()}{why[1:]}.",
            "Name a file that is inside a Git repository.",
        )

    def _unsupported(self, what: str, next: str) -> Stop:
        return Stop(
            "ambiguous-pin",
            f"The Application {self._name} uses {what}.",
            "stagegate cannot render this Application the way Argo CD does.",
            next,
        )


def _referenced(application: Mapping[str, Any], name: str) -> ApplicationSource:
    source = sources.referenced(application, name)
    if source is None:
        application_name = str(mapping(application.get("metadata")).get("name") or "")
        raise Stop(
            "ambiguous-pin",
            f"The Application {application_name} names ${name}, but none of its sources has `ref: {name}`.",
            "Argo CD could not find the values file either.",
            f"Correct ${name}, or add a source with this `ref`.",
        )
    return source


def expand(text: str, known: Mapping[str, str]) -> str:
    """Argo CD's build environment: `$NAME` and `${NAME}`, unknown ones empty, `$$` is `$`."""
    return _VARIABLE.sub(lambda m: "$" if m[3] else known.get(m[1] or m[2], ""), text)
