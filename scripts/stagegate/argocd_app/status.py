"""An Argo CD Application document as the gate reads it: tolerant of what is missing or new, pure.

Shapes of Argo CD 2.x and 3.x: https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/
"""

from __future__ import annotations

from typing import Any

import msgspec

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
        """What tells this source and its revision apart from every other: address, path and revision."""
        return f"{self.address}//{self.path.strip('/')}@{self.revision}"

    @property
    def address(self) -> str:
        """Where it comes from, without scheme: `ghcr.io/acme/charts/shop`, `github.com/acme/shop`."""
        return plain_address(f"{self.repository}/{self.chart}" if self.chart else self.repository)

    @property
    def is_git(self) -> bool:
        """Neither a chart nor an OCI artifact."""
        return not self.chart and not self.repository.startswith("oci://")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sync operation: its phase, and the revisions it brought (same order as the sources)."""

    phase: str = ""
    message: str = ""
    started: str = ""
    finished: str = ""
    revisions: tuple[str, ...] = ()


class ObjectSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One object of an Application as `status.resources` lists it."""

    name: str
    in_sync: bool = True
    must_be_pruned: bool = False


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One look at an Application. Empty strings where the document says nothing.

    `unhealthy` names its objects that are not well; Argo CD 3 tells only where it is set to persist their health.
    `parent` is the Application that made this one, by its tracking id or instance label.
    """

    name: str
    project: str = ""
    sources: tuple[SourceSeen, ...] = ()
    compared_as_specified: bool = True
    sync: str = ""
    health: str = ""
    health_message: str = ""
    health_since: str = ""
    unhealthy: tuple[str, ...] = ()
    reconciled: str = ""
    requested: bool = False
    refreshing: bool = False
    operation: Operation = Operation()
    conditions: tuple[tuple[str, str], ...] = ()
    auto_sync: bool = True
    prune: bool = True
    self_heal: bool = True
    deleting: bool = False
    objects: tuple[ObjectSeen, ...] = ()
    parent: str = ""

    @property
    def revisions(self) -> tuple[str, ...]:
        """Revision of every source, in the order of the spec."""
        return tuple(source.revision for source in self.sources)


def plain_address(address: str) -> str:
    """An address to compare by: no scheme, no user, no trailing slash or `.git`, lower case; `git@host:` too."""
    text = address.strip().rstrip("/").removesuffix(".git").lower()
    text = text.split("://", 1)[-1]
    if "@" in text.split("/", 1)[0]:
        text = text.split("@", 1)[1].replace(":", "/", 1) if "://" not in address else text.split("@", 1)[1]
    return text


def read(document: Json) -> Application:
    """What the gate needs of an Application document, whatever else is in it and whatever is missing."""
    metadata, spec, status = _map(document, "metadata"), _map(document, "spec"), _map(document, "status")
    sync, health = _map(status, "sync"), _map(status, "health")
    asked = sources_of(spec)
    compared = sources_of(_map(sync, "comparedTo"))
    revisions = _texts(sync.get("revisions")) or (
        [_text(sync, "revision")] if _text(sync, "revision") else []
    )
    return Application(
        name=_text(metadata, "name"),
        project=_text(spec, "project"),
        sources=_resolved(asked, compared, revisions),
        compared_as_specified=_as_specified(spec, _map(sync, "comparedTo")),
        sync=_text(sync, "status"),
        health=_text(health, "status"),
        health_message=_text(health, "message"),
        health_since=_text(health, "lastTransitionTime"),
        unhealthy=_unhealthy(status),
        reconciled=_text(status, "reconciledAt"),
        requested=bool(document.get("operation")),
        refreshing="argocd.argoproj.io/refresh" in _map(metadata, "annotations"),
        operation=_operation(_map(status, "operationState"), asked),
        conditions=tuple(
            (_text(item, "type"), _text(item, "message"))
            for item in status.get("conditions") or ()
            if isinstance(item, dict)
        ),
        auto_sync=_auto_sync(_map(spec, "syncPolicy")),
        prune=_map(_map(spec, "syncPolicy"), "automated").get("prune") is True,
        self_heal=_map(_map(spec, "syncPolicy"), "automated").get("selfHeal") is True,
        objects=_objects(status),
        parent=_parent(metadata),
        deleting=bool(metadata.get("deletionTimestamp")),
    )


def _unhealthy(status: Json) -> tuple[str, ...]:
    """`Deployment/shop Degraded: its message` for every object that is not well, where the document says so."""
    found = []
    for item in status.get("resources") or ():
        health = _map(item, "health") if isinstance(item, dict) else {}
        if _text(health, "status") not in ("", "Healthy"):
            said = f": {_text(health, 'message')}" if _text(health, "message") else ""
            found.append(f"{_text(item, 'kind')}/{_text(item, 'name')} {_text(health, 'status')}{said}")
    return tuple(found)


def _objects(status: Json) -> tuple[ObjectSeen, ...]:
    return tuple(
        ObjectSeen(
            name=f"{_text(item, 'kind')}/{_text(item, 'name')}",
            in_sync=_text(item, "status") != "OutOfSync",
            must_be_pruned=item.get("requiresPruning") is True,
        )
        for item in status.get("resources") or ()
        if isinstance(item, dict)
    )


def _parent(metadata: Json) -> str:
    """The Application that tracks this one: `apps:argoproj.io/Application:argocd/shop` names `apps`."""
    tracking, colon, kept = _text(_map(metadata, "annotations"), "argocd.argoproj.io/tracking-id").partition(
        ":"
    )
    if colon and kept.startswith("argoproj.io/Application:"):
        return tracking.rpartition("_")[2]
    label = _text(_map(metadata, "labels"), "app.kubernetes.io/instance")
    return "" if label == _text(metadata, "name") else label


def _as_specified(spec: Json, compared: Json) -> bool:
    """Whether the comparison shown is of the spec as it is now: sources, destination and ignored differences.

    Argo CD compares the same three (needRefreshAppStatus). Parts that an older document leaves out say nothing.
    """
    before = sources_of(compared)
    if not before:
        return True
    if [_identity(s) for s in before] != [_identity(s) for s in sources_of(spec)]:
        return False
    kept = {key: compared[key] for key in ("destination", "ignoreDifferences") if compared.get(key)}
    destination = _map(kept, "destination")
    now = _map(spec, "destination")
    if any(now.get(key) != value for key, value in destination.items() if key in now and value):
        return False
    ignored = kept.get("ignoreDifferences")
    return ignored is None or _without_empty(ignored) == _without_empty(spec.get("ignoreDifferences") or [])


def sources_of(spec: Json) -> list[Json]:
    """`sources`, which wins, or the one `source`."""
    many = [item for item in spec.get("sources") or () if isinstance(item, dict)]
    one = spec.get("source")
    return many or ([one] if isinstance(one, dict) and one else [])


def _resolved(asked: list[Json], compared: list[Json], revisions: list[str]) -> tuple[SourceSeen, ...]:
    """Sources of the spec with their revisions: matched by what they are, not by place, where Argo CD says."""
    rows = list(zip(compared, revisions, strict=False)) if len(compared) == len(revisions) else []
    found = []
    for place, source in enumerate(asked):
        if compared:
            revision = next((r for c, r in rows if _identity(c) == _identity(source)), "")
        else:
            revision = revisions[place] if len(revisions) == len(asked) else ""
        helm = _map(source, "helm")
        found.append(
            SourceSeen(
                repository=_text(source, "repoURL"),
                chart=_text(source, "chart"),
                path=_text(source, "path"),
                ref=_text(source, "ref"),
                target=_text(source, "targetRevision"),
                revision=revision,
                value_files=tuple(_texts(helm.get("valueFiles"))),
            )
        )
    return tuple(found)


def _operation(state: Json, asked: list[Json]) -> Operation:
    result = _map(state, "syncResult")
    wanted = _map(_map(state, "operation"), "sync")
    if wanted.get("dryRun") is True and state.get("finishedAt"):
        return Operation()  # it brought nothing
    said = result if result.get("revision") or result.get("revisions") else wanted
    revisions = _texts(said.get("revisions")) or (
        [_text(said, "revision")] if _text(said, "revision") else []
    )
    rows = sources_of(said)
    if len(rows) == len(revisions) > 0:
        by_source = [
            next((r for s, r in zip(rows, revisions, strict=True) if _place(s) == _place(source)), "")
            for source in asked
        ]
        revisions = by_source
    return Operation(
        phase=_text(state, "phase"),
        message=" ".join(_text(state, "message").split())[:300],
        started=_text(state, "startedAt"),
        finished=_text(state, "finishedAt"),
        revisions=tuple(revisions),
    )


def _auto_sync(policy: Json) -> bool:
    """Automated and not disabled (`enabled: false` exists since Argo CD 3.1)."""
    automated = policy.get("automated")
    return isinstance(automated, dict) and automated.get("enabled") is not False


def _place(source: Json) -> tuple[str, ...]:
    return tuple(_text(source, key) for key in ("repoURL", "chart", "path", "ref"))


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


def _map(document: Json, key: str) -> Json:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _text(document: Json, key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
