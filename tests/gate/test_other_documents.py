"""Documents of other versions and layouts of Argo CD: what one look at each of them means."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from stagegate.argocd_app.status import read
from stagegate.errors import Stop
from stagegate.gate.look import classify
from stagegate.gate.order import Order
from stagegate.gate.plan import Ready
from stagegate.gate.rollout import wait
from tests.gate.argo_documents import VALUES, at, expected, old_style, several, single
from tests.gate.simulated import (
    FOREVER,
    GOOD,
    NEW,
    SYNC,
    Phase,
    Several,
    Simulated,
    out_of_sync,
    roll_out,
    thing,
    waited,
)
from tests.gate.virtual import Clock, VirtualNews, VirtualSource

Json = dict[str, Any]
RELEASE, TAG, EARLIER = "a" * 40, "7" * 40, "e" * 40
OWN_GIT = "https://github.com/acme/shop.git"


def with_sources(*sources: Json, revisions: tuple[str, ...], **status: Any) -> Json:
    """An Application of several sources, compared at these revisions."""
    document = single()
    del document["spec"]["source"]
    document["spec"]["sources"] = list(sources)
    sync = document["status"]["sync"]
    del sync["revision"]
    sync |= {"revisions": list(revisions), "comparedTo": {"sources": copy.deepcopy(list(sources)), **status}}
    result = {"revision": "", "revisions": list(revisions), "sources": copy.deepcopy(list(sources))}
    document["status"]["operationState"]["syncResult"] = result
    return document


def hydrated(target: str, dry: str, made: str, synced: str) -> Json:
    """An Application whose source is written by the hydrator: `made` from `dry`, and `synced` is in the cluster."""
    document = single()
    del document["spec"]["source"]
    document["spec"]["sourceHydrator"] = {
        "drySource": {"repoURL": OWN_GIT, "path": "deploy/staging", "targetRevision": target},
        "syncSource": {"targetBranch": "env/staging", "path": "staging"},
    }
    status = document["status"]
    status["sourceHydrator"] = {"lastSuccessfulOperation": {"drySHA": dry, "hydratedSHA": made}}
    compared = {"repoURL": OWN_GIT, "path": "staging", "targetRevision": "env/staging"}
    status["sync"] |= {"revision": synced, "comparedTo": {"source": compared, "destination": {}}}
    status["operationState"]["syncResult"] = {"revision": synced, "source": compared}
    return document


def changed(document: Json, path: str, value: Any) -> Json:
    """The document with one field set; `path` has dots."""
    *parents, last = path.split(".")
    node = document
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = value
    return document


CHART = {"repoURL": "ghcr.io/acme/charts", "chart": "shop", "targetRevision": "1.1.0"}
REF = {"repoURL": OWN_GIT, "targetRevision": "v1.1.0", "ref": "values"}
PATH = {"repoURL": OWN_GIT, "targetRevision": "main", "path": "deploy/staging"}
BLOCKED = {
    "phase": "Running", "startedAt": at(0), "message": "Sync operation blocked by sync window",
    "operation": {"sync": {"revision": NEW}},
}  # fmt: skip
LIVE = {"name": "shop", "kind": "Deployment", "status": "Synced", "health": {"status": "Healthy"}}
DOCUMENTS: dict[str, tuple[str, Json]] = {
    "2.8, several sources": ("ready", old_style(several())),
    "2.8, empty conditions and no summary": (
        "ready", changed(changed(old_style(single()), "status.conditions", None), "status.summary", {}),
    ),
    "2.14, a tag behind a ref as its own id": ("ready", with_sources(CHART, REF, revisions=(NEW, TAG))),
    "3.1, the same as its commit": ("ready", with_sources(CHART, REF, revisions=(NEW, RELEASE))),
    "a tag behind a ref that is another": ("old-revision", with_sources(CHART, REF, revisions=(NEW, EARLIER))),
    "refs/tags before the name": (
        "ready", with_sources(CHART, {**REF, "targetRevision": "refs/tags/v1.1.0"}, revisions=(NEW, TAG)),
    ),
    "pinned by the commit": (
        "ready", with_sources(CHART, {**REF, "targetRevision": RELEASE}, revisions=(NEW, RELEASE)),
    ),
    "the ref first": ("ready", with_sources(REF, CHART, revisions=(TAG, NEW))),
    "compared in another order": (
        "stale-comparison", changed(with_sources(CHART, REF, revisions=(NEW, TAG)), "spec.sources", [REF, CHART]),
    ),
    "fewer revisions than sources": ("old-revision", with_sources(CHART, REF, revisions=(NEW,))),
    "a failed comparison of several sources": (
        "comparison-error",
        changed(
            changed(with_sources(CHART, REF, revisions=()), "status.sync.status", "Unknown"),
            "status.conditions", [{"type": "ComparisonError", "message": "x"}],
        ),
    ),
    "a branch at an unread commit": ("unknown-commit", with_sources(CHART, PATH, revisions=(NEW, EARLIER))),
    "another chart beside ours": (
        "ready",
        with_sources(
            {"repoURL": "https://charts.example.com", "chart": "redis", "targetRevision": "9.x"}, CHART,
            revisions=("9.1.2", NEW),
        ),
    ),
    "hydrated from the tag": ("ready", hydrated("v1.1.0", RELEASE, "f" * 40, "f" * 40)),
    "hydrated by an older Argo CD": ("ready", hydrated("v1.1.0", TAG, "f" * 40, "f" * 40)),
    "not hydrated yet": ("old-revision", hydrated("v1.1.0", EARLIER, "f" * 40, "f" * 40)),
    "hydrated and not synced": ("old-revision", hydrated("v1.1.0", RELEASE, "f" * 40, "d" * 40)),
    "hydrated from the release before": ("pin-not-applied", hydrated("v1.0.0", EARLIER, "f" * 40, "f" * 40)),
    "hydrated from a branch": ("wrong-source", hydrated("main", RELEASE, "f" * 40, "f" * 40)),
    "native OCI by digest": (
        "ready",
        changed(
            changed(
                single(), "spec.source",
                {"repoURL": f"oci://{CHART['repoURL']}/shop", "targetRevision": "1.1.0", "path": "."},
            ),
            "status.sync", {"status": "Synced", "revision": "sha256:" + "c" * 64},
        ),
    ),
    "3.4, an object is missing": (
        "out-of-sync",
        changed(
            changed(single(), "status.sync.status", "OutOfSync"),
            "status.resources", [{"kind": "ConfigMap", "name": "x", "status": "OutOfSync"}],
        ),
    ),
    "a window shut while the sync began": (
        "sync-window", changed(changed(single(), "status.operationState", BLOCKED), "status.sync.status", "OutOfSync"),
    ),
    "an operation that has not begun": (
        "syncing", changed(changed(single(), "operation", {"sync": {}}), "status.operationState", None),
    ),
    "a SyncError of before, and Synced since": (
        "ready", changed(single(), "status.conditions", [{"type": "SyncError", "message": "Failed last sync attempt"}]),
    ),
    "warnings": (
        "ready",
        changed(
            single(), "status.conditions",
            [{"type": kind, "message": "x"} for kind in
             ("OrphanedResourceWarning", "SharedResourceWarning", "RepeatedResourceWarning", "ExcludedResourceWarning")],
        ),
    ),
    "an autoscaler without metrics": (
        "degraded",
        changed(
            changed(single(), "status.health.status", "Degraded"),
            "status.resources", [LIVE, thing("HorizontalPodAutoscaler", "Degraded", "FailedGetResourceMetric")],
        ),
    ),
    "a blue-green Rollout that waits": (
        "canary",
        changed(
            changed(single(), "status.health.status", "Suspended"),
            "status.resources", [thing("Rollout", "Suspended", "BlueGreenPause")],
        ),
    ),
    "a Canary that failed": (
        "canary-aborted",
        changed(
            changed(single(), "status.health.status", "Degraded"),
            "status.resources", [thing("Canary", "Degraded", "Failed --- promotion failed")],
        ),
    ),
    "a Job that runs": (
        "progressing",
        changed(
            changed(single(), "status.health.status", "Progressing"),
            "status.resources", [LIVE, thing("Job", "Progressing")],
        ),
    ),
    "a paused Deployment": (
        "suspended",
        changed(
            changed(single(), "status.health.status", "Suspended"),
            "status.resources", [thing("Deployment", "Suspended", "Deployment is paused")],
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_look_at_a_document_gives_its_reason(name: str) -> None:
    reason, document = DOCUMENTS[name]
    wanted = expected(release_tag_object=TAG, pinned=NEW)
    assert classify(read(document), wanted) == (reason, classify(read(document), wanted)[1])


@pytest.mark.parametrize(
    ("metadata", "parent"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "apps:argoproj.io/Application:argocd/shop"}}, "apps"),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "team-a_apps:argoproj.io/Application:team-a/shop"}}, "team-a/apps"),
        ({"labels": {"app.kubernetes.io/instance": "team-a_apps"}}, "team-a/apps"),
        ({"labels": {"app.kubernetes.io/instance": "apps"}}, "apps"),
        ({"labels": {"app.kubernetes.io/instance": "shop"}}, ""),
        ({"annotations": {"argocd.argoproj.io/tracking-id": "apps:/ConfigMap:argocd/shop"}}, ""),
    ],
)  # fmt: skip
def test_the_parent_is_found_in_any_namespace(metadata: Json, parent: str) -> None:
    assert read({"metadata": {"name": "shop", **metadata}}).parent == parent


def test_two_applications_of_one_name_in_two_namespaces_are_judged_separately() -> None:
    """Each Application deploys the commit with its own values, so the state of one is not that of the other."""
    document = several(values=RELEASE)
    document["spec"]["sources"][1]["repoURL"] = document["status"]["sync"]["comparedTo"]["sources"][1][
        "repoURL"
    ] = VALUES

    def world(namespace: str) -> Simulated:
        def change(shown: Json) -> None:
            good = copy.deepcopy(document)
            good["metadata"]["namespace"] = namespace
            good["status"]["operationState"].update(startedAt=at(0), finishedAt=at(0))
            shown.update(good)

        return Simulated([Phase(FOREVER, change, new=True)])

    names = ("team-a/shop", "team-b/shop")
    worlds, clock, asked = Several({name: world(name[:6]) for name in names}), Clock(), list[str]()
    source = VirtualSource(worlds, clock)
    order = Order(
        environment="staging", names=names, timeout=60.0, pods=lambda _: Ready(),
        commit=lambda *_: asked.append("") or "current" if len(asked) < 1 else "behind",  # type: ignore[func-returns-value]
    )  # fmt: skip
    found = wait(source, expected(NEW, pinned=NEW), order, clock=clock, following=VirtualNews(source))
    assert (found.outcome, found.reason) == ("timeout", "old-commit")


NIGHT = {"assignedWindows": [{"kind": "allow", "schedule": "0 3 * * *", "duration": "1h"}]}


def test_a_sync_that_a_window_blocks_says_when_it_opens() -> None:
    def blocked(document: Json) -> None:
        out_of_sync(document)
        document["status"]["operationState"] = BLOCKED

    found, _ = waited(Simulated([*SYNC, Phase(FOREVER, blocked)], windows=NIGHT), timeout=100.0)
    assert (found.reason, "opens at" in found.detail) == ("sync-window", True)
    assert waited(Simulated([*SYNC, Phase(600.0, blocked), GOOD], windows=NIGHT))[0].outcome == "ready"


def test_the_gate_waits_for_an_application_that_is_created_again() -> None:
    gone = Phase(30.0, answer=(404, {"error": 'applications.argoproj.io "shop" not found', "code": 5}))
    assert waited(Simulated(roll_out(gone)))[0].outcome == "ready"
    with pytest.raises(Stop):
        waited(Simulated([Phase(FOREVER, answer=gone.answer), GOOD]))
    with pytest.raises(Stop):
        waited(Simulated(roll_out(gone._replace(seconds=400.0))))


class Family(Several):
    """An Application, the one that applies it, and the one that applies that: the pin arrives when the last of them
    was refreshed."""

    def __init__(self) -> None:
        self.refreshed: list[str] = []
        super().__init__({})

    def application(self, name: str, t: float) -> tuple[int | None, Json]:
        document = single(NEW if "root" in self.refreshed else "1.0.0", now=100 + t)
        document["metadata"]["name"] = name
        parent = {"shop": "apps", "apps": "team_root"}.get(name, "")
        if parent:
            mark = f"{parent}:argoproj.io/Application:argocd/{name}"
            document["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": mark}
        return 200, document

    def answered_at(self, name: str, t: float) -> float:  # noqa: ARG002
        return t + 0.3

    def refresh(self, name: str, t: float, *, hard: bool = False) -> None:  # noqa: ARG002
        self.refreshed.append(name.rpartition("/")[2])

    def stream(self, name: str) -> list[tuple[float, Json]]:  # noqa: ARG002
        return []

    def windows(self, name: str, t: float) -> Json:  # noqa: ARG002
        return {}


def test_the_parents_of_parents_are_refreshed_too() -> None:
    world, clock = Family(), Clock()
    source = VirtualSource(world, clock)
    order = Order(
        environment="staging",
        names=("shop",),
        timeout=300.0,
        commit=lambda *_: "current",
        pods=lambda _: Ready(),
    )
    found = wait(source, expected(NEW, pinned=NEW), order, clock=clock, following=VirtualNews(source))
    assert found.outcome == "ready"
    assert {"shop", "apps", "root"} <= set(world.refreshed)
    assert clock.now < 60
