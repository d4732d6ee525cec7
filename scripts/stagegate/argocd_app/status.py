"""An Argo CD Application document as the gate reads it. Missing and unknown fields are accepted. Pure.

Shapes of Argo CD 2.x and 3.x: https://argo-cd.readthedocs.io/en/stable/user-guide/application-specification/
"""

from __future__ import annotations

from typing import Any

import msgspec

from stagegate.argocd_app.json_fields import mapping, rows, text, texts
from stagegate.argocd_app.source_seen import (
    SourceSeen,
    in_order,
    is_as_specified,
    plain_address,
    read_sources,
    sources_of,
)

__all__ = ["Application", "ObjectSeen", "Operation", "SourceSeen", "plain_address", "read"]
Json = dict[str, Any]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """The newest sync operation: its phase, and the revisions it brought (same order as the sources)."""

    phase: str = ""
    message: str = ""
    started: str = ""
    finished: str = ""
    revisions: tuple[str, ...] = ()


class ObjectSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One object of an Application as `status.resources` lists it; `name` is `Deployment/shop`."""

    name: str
    kind: str = ""
    in_sync: bool = True
    must_be_pruned: bool = False
    health: str = ""
    message: str = ""


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of an Application. Missing fields are empty strings.

    `unhealthy` names its objects that are not well; Argo CD 3 tells only where it is set to persist their health.
    `parent` is the Application that made this one, by its tracking id or instance label, `application_set` the
    ApplicationSet that owns it. `hydrated`: its source is written by Argo CD's source hydrator. `images` are those
    of its pods as they are written.
    """

    name: str
    project: str = ""
    sources: tuple[SourceSeen, ...] = ()
    compared_as_specified: bool = True
    sync: str = ""
    synced_revisions: tuple[str, ...] = ()
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
    application_set: str = ""
    hydrated: bool = False
    images: tuple[str, ...] = ()

    @property
    def revisions(self) -> tuple[str, ...]:
        """Revision of every source, in the order of the spec; of a hydrated one the commit that was synced."""
        if self.hydrated:
            return self.synced_revisions
        return tuple(source.revision for source in self.sources)


def read(document: Json) -> Application:
    """The fields of an Application document that the gate needs; missing ones are empty."""
    metadata, spec, status = (mapping(document, key) for key in ("metadata", "spec", "status"))
    sync, health = mapping(status, "sync"), mapping(status, "health")
    policy = mapping(spec, "syncPolicy")
    automated = mapping(policy, "automated")
    objects = tuple(_object(item) for item in rows(status.get("resources")))
    return Application(
        name=text(metadata, "name"),
        project=text(spec, "project"),
        sources=read_sources(spec, status),
        compared_as_specified=is_as_specified(spec, mapping(sync, "comparedTo")),
        sync=text(sync, "status"),
        synced_revisions=(text(sync, "revision"),) if text(sync, "revision") else (),
        health=text(health, "status"),
        health_message=text(health, "message"),
        health_since=text(health, "lastTransitionTime"),
        unhealthy=tuple(_told(item) for item in objects if item.health not in ("", "Healthy")),
        reconciled=text(status, "reconciledAt"),
        requested=bool(document.get("operation")),
        refreshing="argocd.argoproj.io/refresh" in mapping(metadata, "annotations"),
        operation=_operation(mapping(status, "operationState"), sources_of(spec)),
        conditions=tuple((text(one, "type"), text(one, "message")) for one in rows(status.get("conditions"))),
        auto_sync=_auto_sync(policy),
        prune=automated.get("prune") is True,
        self_heal=automated.get("selfHeal") is True,
        objects=objects,
        parent=_parent(metadata),
        application_set=_application_set(metadata),
        deleting=bool(metadata.get("deletionTimestamp")),
        hydrated=bool(spec.get("sourceHydrator")),
        images=tuple(texts(mapping(status, "summary").get("images"))),
    )


def _told(item: ObjectSeen) -> str:
    """`Deployment/shop Degraded: its message`."""
    return f"{item.name} {item.health}" + (f": {item.message}" if item.message else "")


def _object(item: Json) -> ObjectSeen:
    health = mapping(item, "health")
    return ObjectSeen(
        name=f"{text(item, 'kind')}/{text(item, 'name')}",
        kind=text(item, "kind"),
        in_sync=text(item, "status") != "OutOfSync",
        must_be_pruned=item.get("requiresPruning") is True,
        health=text(health, "status"),
        message=text(health, "message"),
    )


def _parent(metadata: Json) -> str:
    """The Application that tracks this one: `apps:argoproj.io/Application:argocd/shop` names `apps`.

    One in another namespace than Argo CD's is tracked as `namespace_name`, and named `namespace/name`.
    """
    annotations, labels = mapping(metadata, "annotations"), mapping(metadata, "labels")
    tracking, colon, kept = text(annotations, "argocd.argoproj.io/tracking-id").partition(":")
    if colon and kept.startswith("argoproj.io/Application:"):
        return tracking.replace("_", "/", 1)
    label = text(labels, "app.kubernetes.io/instance")
    return "" if label == text(metadata, "name") else label.replace("_", "/", 1)


def _application_set(metadata: Json) -> str:
    owners = rows(metadata.get("ownerReferences"))
    return next((text(owner, "name") for owner in owners if text(owner, "kind") == "ApplicationSet"), "")


def _operation(state: Json, sources: list[Json]) -> Operation:
    result = mapping(state, "syncResult")
    wanted = mapping(mapping(state, "operation"), "sync")
    if wanted.get("dryRun") is True and state.get("finishedAt"):
        return Operation()  # it brought nothing
    reported = result if result.get("revision") or result.get("revisions") else wanted
    return Operation(
        phase=text(state, "phase"),
        message=" ".join(text(state, "message").split()),
        started=text(state, "startedAt"),
        finished=text(state, "finishedAt"),
        revisions=tuple(in_order(reported, sources)),
    )


def _auto_sync(policy: Json) -> bool:
    """Automated and not disabled (`enabled: false` exists since Argo CD 3.1)."""
    automated = policy.get("automated")
    return isinstance(automated, dict) and automated.get("enabled") is not False
