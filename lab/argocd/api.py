"""The responses of each endpoint, the permissions for them, and the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.argocd import disturbances, documents, live
from lab.argocd.access import INVALID, NOT_FOUND, PERMISSION_DENIED, UNKNOWN, ApiError, Token, Tokens
from lab.argocd.application import REFRESH, Application
from lab.argocd.charts import CannotRender
from lab.argocd.cluster import Cluster
from lab.argocd.faults import Faults
from lab.argocd.reconcile import Reconciler
from lab.argocd.resolve import Sources, sources_of
from lab.argocd.store import Event, Store

Json = dict[str, Any]
Query = dict[str, list[str]]


@dataclass(frozen=True)
class Api:
    """The read side of Argo CD's application service."""

    store: Store
    faults: Faults
    tokens: Tokens
    cluster: Cluster
    sources: Sources
    reconcilers: Mapping[str, Reconciler]
    version: str
    refresh_deadline: float
    known_clusters: Sequence[Json]

    def answer(self, token: Token, name: str, resource: str, query: Query) -> Json:
        """One application's document or sub-resource; ApiError in Argo CD's words."""
        document = self._allowed(token, name, query)
        if resource == "":
            return self._refreshed(name, query) or document
        answers: dict[str, Callable[[], Json]] = {
            "resource-tree": lambda: self._tree(name, document),
            "managed-resources": lambda: self._managed(name),
            "manifests": lambda: self._manifests(name, document, query),
            "resource": lambda: self._resource(name, query),
            "syncwindows": lambda: self._windows(name),
        }
        if resource not in answers:
            raise ApiError(NOT_FOUND, "Not Found")
        return answers[resource]()

    def _allowed(self, token: Token, name: str, query: Query) -> Json:
        """RBAC in Argo CD's order: a missing application is 403 unless the right project was named."""
        project = _one(query, "project")
        denied = ApiError(PERMISSION_DENIED, "permission denied")
        if project and not token.may_get(name, project):
            raise denied
        document = self.store.get(name)
        missing = ApiError(NOT_FOUND, f'applications.argoproj.io "{name}" not found')
        if document is None or _one(query, "appNamespace") not in ("", document["metadata"]["namespace"]):
            raise missing if project else denied
        if not token.may_get(name, document["spec"]["project"]):
            raise missing if project else denied
        if project and project != document["spec"]["project"]:
            raise missing
        return document

    def _refreshed(self, name: str, query: Query) -> Json | None:
        """`refresh=normal|hard`: the document after the controller took the annotation off."""
        kind = _one(query, "refresh")
        reconciler = self.reconcilers.get(name)
        if not kind or kind == "false" or reconciler is None or self.faults.take(name, "lost-refresh"):
            return None
        reconciler.refresh("hard" if kind == "hard" else "normal")
        document = self.store.wait(
            name, lambda d: REFRESH not in (d["metadata"].get("annotations") or {}), self.refresh_deadline
        )
        if document is None:
            raise ApiError(UNKNOWN, "application refresh deadline exceeded")
        return document

    def clusters(self, token: Token) -> Json:
        """Every cluster, for a token that may read all; `items` is null for others."""
        return {"metadata": {}, "items": list(self.known_clusters) if token.applications is None else None}

    def listing(self, token: Token, query: Query) -> Json:
        """Every application that the token may read and the query names; `items` is null without any."""
        held = [self.store.get(name) for name in self.store.names()]
        items = [document for document in held if document and self._matches(token, query, document)]
        version = max((int(document["metadata"]["resourceVersion"]) for document in items), default=0)
        return {"metadata": {"resourceVersion": str(version)} if version else {}, "items": items or None}

    def _matches(self, token: Token, query: Query, document: Json) -> bool:
        name, project = document["metadata"]["name"], document["spec"]["project"]
        projects = {*query.get("projects", []), *query.get("project", [])} - {""}
        named = _one(query, "name") in ("", name) and (not projects or project in projects)
        return named and token.may_get(name, project) and selected(_one(query, "selector"), document)

    def first_events(self, token: Token, query: Query) -> Iterator[Event]:
        """The first events of a stream: ADDED for each application, unless a version was given and no name."""
        if _one(query, "resourceVersion") and not _one(query, "name"):
            return
        for name in self.store.names():
            document = self.store.get(name) if _one(query, "name") in ("", name) else None
            if document and self._matches(token, query, document):
                yield "ADDED", document

    def visible(self, token: Token, query: Query, event: Event) -> Event | None:
        """The event as this stream shows it, or None when the stream does not show it."""
        if _one(query, "name") not in ("", event[1]["metadata"]["name"]):
            return None  # before the document is copied for a stream that does not show it
        kind, document = event[0], self.store.seen(event[1])
        return (kind, document) if self._matches(token, query, document) else None

    def _app(self, name: str) -> Application:
        return self.reconcilers[name].app

    def _tree(self, name: str, document: Json) -> Json:
        app = self._app(name)
        resources = (document.get("status") or {}).get("resources") or ()
        tree = live.tree(app.live, app.namespace, self.cluster.states(name), resources)
        old = self.faults.find(name, "old-pod")
        return disturbances.with_old_pod(tree, old) if old else tree

    def _managed(self, name: str) -> Json:
        app = self._app(name)
        return live.managed(app.desired, app.live, app.namespace)

    def _manifests(self, name: str, document: Json, query: Query) -> Json:
        """Objects rendered at the requested revision (default: the spec's), as a list of JSON texts."""
        app, spec = self._app(name), document["spec"]
        try:
            revisions = list(self.sources.revisions(spec))
            if _one(query, "revision"):
                revisions[0] = self.sources.revision(
                    {**sources_of(spec)[0], "targetRevision": _one(query, "revision")}
                )
            for place, revision in zip(
                query.get("sourcePositions", []), query.get("revisions", []), strict=False
            ):
                source = {**sources_of(spec)[int(place) - 1], "targetRevision": revision}
                revisions[int(place) - 1] = self.sources.revision(source)
            rendered = self.sources.render(name, spec, revisions)
        except (CannotRender, ValueError, IndexError) as error:
            raise ApiError(UNKNOWN, f"failed to generate manifests: {error}") from error
        annotation = not self.version.startswith("2.")
        tracked = [documents.tracked(item, name, app.namespace, annotation) for item in rendered.objects]
        return {"manifests": [json.dumps(documents.hidden(item)) for item in tracked]}

    def _resource(self, name: str, query: Query) -> Json:
        """One live object as JSON text."""
        app = self._app(name)
        kind, wanted_name, where = _one(query, "kind"), _one(query, "resourceName"), _one(query, "namespace")
        for workload, _, states in self.cluster.states(name):
            for state in states:
                if kind == "Pod" and state.name == wanted_name and where in ("", state.namespace):
                    pod, image_fault = live.pod(workload, state), self.faults.find(name, "image-id")
                    return {
                        "manifest": json.dumps(
                            disturbances.with_image_id(pod, image_fault) if image_fault else pod
                        )
                    }
        if wanted_name == disturbances.OLD_POD and (old := self.faults.find(name, "old-pod")):
            return {"manifest": json.dumps(disturbances.old_pod(old))}
        for item in app.live:
            identity = documents.identity(item, app.namespace)
            if (identity["kind"], identity["name"]) == (kind, wanted_name) and where in (
                "",
                identity.get("namespace", ""),
            ):
                return {"manifest": json.dumps(documents.hidden(item))}
        raise ApiError(
            INVALID, f"{kind} {_one(query, 'group')} {wanted_name} not found as part of application {name}"
        )

    def _windows(self, name: str) -> Json:
        fault = self.faults.find(name, "sync-window")
        if fault is None:
            return {"activeWindows": [], "assignedWindows": [], "canSync": True}
        window = {
            "kind": fault.text("window", "deny"),
            "schedule": fault.text("schedule", "* * * * *"),
            "duration": "24h",
            "manualSync": False,
        }
        if window["kind"] == "allow":
            return {"assignedWindows": [window], "canSync": False}
        return {"activeWindows": [window], "assignedWindows": [window], "canSync": False}


def _one(query: Query, name: str) -> str:
    return (query.get(name) or [""])[0]


def selected(selector: str, document: Json) -> bool:
    """Kubernetes label selector: `a=b`, `a==b`, `a!=b`, `a`, `!a`, `a in (b,c)`, joined by commas."""
    labels = document["metadata"].get("labels") or {}
    depth, parts, start = 0, [], 0
    for place, char in enumerate(selector):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(selector[start:place])
            start = place + 1
    return all(_holds(part.strip(), labels) for part in [*parts, selector[start:]] if part.strip())


def _holds(part: str, labels: Mapping[str, str]) -> bool:
    if " in (" in part or " notin (" in part:
        key, _, operator = part.partition(" ")
        names = {name.strip() for name in operator[operator.index("(") + 1 : operator.rindex(")")].split(",")}
        return (labels.get(key) in names) != operator.startswith("notin")
    for mark, equal in (("!=", False), ("==", True), ("=", True)):
        if mark in part:
            key, _, value = part.partition(mark)
            return (labels.get(key.strip()) == value.strip()) == equal
    return (part[1:].strip() not in labels) if part.startswith("!") else part in labels
