"""The sources of an Application document: what its spec asks for, and which revisions Argo CD compared. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate.argocd_app.json_fields import mapping, rows, text, texts

Json = dict[str, Any]


class SourceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One source of an Application: what its spec asks for, and the revision Argo CD compared against.

    `revision` is empty while Argo CD has not compared this source as the spec now has it.
    """

    repository: str
    chart: str = ""
    path: str = ""
    ref: str = ""
    target: str = ""
    revision: str = ""
    value_files: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The identity of this source with its revision: address, path and revision."""
        return f"{self.address}//{self.path.strip('/')}@{self.revision}"

    @property
    def address(self) -> str:
        """Where it comes from, without scheme: `ghcr.io/acme/charts/shop`, `github.com/acme/shop`."""
        return plain_address(f"{self.repository.rstrip('/')}/{self.chart}" if self.chart else self.repository)

    @property
    def is_git(self) -> bool:
        """Neither a chart nor an OCI artifact."""
        return not self.chart and not self.repository.startswith("oci://")


def plain_address(address: str) -> str:
    """An address to compare by: no scheme, no user, no trailing slash or `.git`, lower case; `git@host:` too."""
    plain = address.strip().rstrip("/").removesuffix(".git").lower()
    plain = plain.split("://", 1)[-1]
    if "@" in plain.split("/", 1)[0]:
        rest = plain.split("@", 1)[1]
        plain = rest.replace(":", "/", 1) if "://" not in address else rest
    return plain


def read_sources(spec: Json, status: Json) -> tuple[SourceSeen, ...]:
    """Every source of the spec with the revision it was compared at."""
    sync = mapping(status, "sync")
    if spec.get("sourceHydrator"):
        return (_hydrated(mapping(spec, "sourceHydrator"), status),)
    revisions = revisions_of(sync)
    return _resolved(sources_of(spec), sources_of(mapping(sync, "comparedTo")), revisions)


def revisions_of(reported: Json) -> list[str]:
    """`revisions`, else the one `revision`."""
    return texts(reported.get("revisions")) or (
        [text(reported, "revision")] if text(reported, "revision") else []
    )


def sources_of(spec: Json) -> list[Json]:
    """`sources`, which wins, or the one `source`, or what a hydrator writes."""
    one, hydrator = mapping(spec, "source"), mapping(spec, "sourceHydrator")
    if hydrator:
        dry, written = mapping(hydrator, "drySource"), mapping(hydrator, "syncSource")
        one = {
            "repoURL": text(dry, "repoURL"),
            "path": text(written, "path"),
            "targetRevision": text(written, "targetBranch"),
        }
    return rows(spec.get("sources")) or ([one] if one else [])


def is_as_specified(spec: Json, compared: Json) -> bool:
    """Whether the comparison shown is of the spec as it is now: sources, destination and ignored differences.

    Argo CD compares the same three (needRefreshAppStatus). Parts that an older document leaves out say nothing.
    """
    before = sources_of(compared)
    if not before:
        return True
    if [_identity(s) for s in before] != [_identity(s) for s in sources_of(spec)]:
        return False
    kept = {key: compared[key] for key in ("destination", "ignoreDifferences") if compared.get(key)}
    now = mapping(spec, "destination")
    if any(now.get(k) != value for k, value in mapping(kept, "destination").items() if k in now and value):
        return False
    ignored = kept.get("ignoreDifferences")
    return ignored is None or _without_empty(ignored) == _without_empty(spec.get("ignoreDifferences") or [])


def in_order(reported: Json, wanted: list[Json]) -> list[str]:
    """The revisions that a sync names, in the order of these sources where it lists its own."""
    revisions, listed = revisions_of(reported), sources_of(reported)
    if not len(listed) == len(revisions) > 0:
        return revisions
    pairs = list(zip(listed, revisions, strict=True))
    return [next((r for s, r in pairs if _place(s) == _place(source)), "") for source in wanted]


def _hydrated(hydrator: Json, status: Json) -> SourceSeen:
    """The dry source, at the dry commit that the synced commit was made from."""
    dry = mapping(hydrator, "drySource")
    done = mapping(mapping(status, "sourceHydrator"), "lastSuccessfulOperation")
    synced = revisions_of(mapping(status, "sync"))
    belongs = bool(synced) and text(done, "hydratedSHA") == synced[0]
    return SourceSeen(
        repository=text(dry, "repoURL"),
        path=text(dry, "path"),
        target=text(dry, "targetRevision"),
        revision=text(done, "drySHA") if belongs else "",
    )


def _resolved(wanted: list[Json], compared: list[Json], revisions: list[str]) -> tuple[SourceSeen, ...]:
    """Sources of the spec with their revisions: matched by what they are, not by place, where Argo CD says."""
    pairs = list(zip(compared, revisions, strict=False)) if len(compared) == len(revisions) else []
    resolved = []
    for place, source in enumerate(wanted):
        if compared:
            revision = next((r for c, r in pairs if _identity(c) == _identity(source)), "")
        else:
            revision = revisions[place] if len(revisions) == len(wanted) else ""
        resolved.append(
            SourceSeen(
                repository=text(source, "repoURL"),
                chart=text(source, "chart"),
                path=text(source, "path"),
                ref=text(source, "ref"),
                target=text(source, "targetRevision"),
                revision=revision,
                value_files=tuple(texts(mapping(source, "helm").get("valueFiles"))),
            )
        )
    return tuple(resolved)


def _place(source: Json) -> tuple[str, ...]:
    return tuple(text(source, key) for key in ("repoURL", "chart", "path", "ref"))


def _identity(source: Json) -> tuple[str, ...]:
    """What makes a comparison one of this source: place, target and every option of every tool."""
    options = {
        key: value for key, value in source.items() if key not in ("repoURL", "chart", "path", "ref", "name")
    }
    return (*_place(source), msgspec.json.encode(_without_empty(options), order="sorted").decode())


def _without_empty(value: Any) -> Any:
    """Argo CD drops false and empty fields when it copies a source; so an explicit `false` is no difference."""
    if isinstance(value, dict):
        kept = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, False, "", {}, [])}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value
