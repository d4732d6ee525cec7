"""Every fault that the gate is tested with: it takes effect, shows what Argo CD would show, and ends."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from lab.argocd import KINDS, ArgoCD
from lab.registry import Registry
from tests.lab.argo_world import World

Json = dict[str, Any]
APP = "shop-staging"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    with Registry(root / "data") as registry:
        world = World(root, registry.host).begin()
        world.release("1.0.0")
        world.release("1.1.0")
        yield world


@pytest.fixture(scope="module")
def shared(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    pin(world, "1.0.0")
    root = tmp_path_factory.mktemp("argo")
    rewrite = {"ghcr.io": world.host}
    with ArgoCD(root, world.bare, registry_rewrite=rewrite, interval=0.1, refresh_deadline=1.0) as argo:
        yield argo


@pytest.fixture
def argo(world: World, shared: ArgoCD) -> ArgoCD:
    """The shop at 1.0.0, settled, without faults."""
    shared.clear()
    if not at("1.0.0", "Synced", "Healthy")(shared.application(APP)) or moved:
        pin(world, "1.0.0")
        shared.poke()
    moved.clear()
    shared.wait(lambda d: at("1.0.0", "Synced", "Healthy")(d) and compared(d), APP)
    shared.login_requests.clear()
    return shared


moved: list[str] = []


def pin(world: World, version: str) -> None:
    """Pin a version with values of their own: auto-sync never tries the same source and revision twice."""
    moved.append(version)
    world.pin(APP, version, greeting=f"{time.monotonic()}")


def compared(document: Json) -> bool:
    """The spec is the one that was compared."""
    return bool(document["spec"]["source"] == document["status"]["sync"]["comparedTo"]["source"])


def at(revision: str, sync: str, health: str) -> Any:
    def good(document: Json) -> bool:
        status = document["status"]
        done = "operation" not in document and status.get("reconciledAt", "") >= status.get(
            "operationState", {}
        ).get("finishedAt", "")
        return done and (
            status["sync"].get("revision"),
            status["sync"]["status"],
            status["health"].get("status"),
        ) == (revision, sync, health)

    return good


def get(argo: ArgoCD, path: str = f"applications/{APP}", **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {argo.token}"}
    return requests.get(f"{argo.url}/api/v1/{path}", params=query, headers=headers, timeout=5)


def test_faults_are_known_by_name(argo: ArgoCD) -> None:
    with pytest.raises(ValueError, match="did you mean 'degraded'"):
        argo.fault(APP, "degrade")
    assert "degraded" in KINDS


def test_stale_keeps_the_old_revision_synced_and_healthy(world: World, argo: ArgoCD) -> None:
    argo.fault(APP, "stale", seconds=1.0)
    pin(world, "1.1.0")
    document = argo.wait(lambda d: d["spec"]["source"]["targetRevision"] == "1.1.0", APP)
    assert at("1.0.0", "Synced", "Healthy")(document)
    argo.wait(at("1.1.0", "Synced", "Healthy"), APP)


def test_a_parent_that_does_not_sync_leaves_the_spec_old(world: World, argo: ArgoCD) -> None:
    fault = argo.fault(APP, "parent-stale")
    pin(world, "1.1.0")
    with pytest.raises(TimeoutError):
        argo.wait(lambda d: d["spec"]["source"]["targetRevision"] == "1.1.0", APP, 0.5)
    fault.release()
    argo.wait(at("1.1.0", "Synced", "Healthy"), APP)


def test_a_lost_refresh_answers_with_the_old_document(argo: ArgoCD) -> None:
    version = argo.application(APP)["metadata"]["resourceVersion"]
    argo.fault(APP, "lost-refresh")
    assert get(argo, refresh="normal").json()["metadata"]["resourceVersion"] == version
    assert get(argo, refresh="normal").json()["metadata"]["resourceVersion"] != version


@pytest.mark.parametrize("then", ["Healthy", "Degraded"])
def test_a_flap_is_healthy_first(world: World, argo: ArgoCD, then: str) -> None:
    seen = argo._store.watch()
    argo.fault(APP, "flap", good=0.3, pause=0.2, then=then)
    pin(world, "1.1.0")
    argo.wait(at("1.1.0", "Synced", "Healthy"), APP)
    argo.wait(at("1.1.0", "Synced", "Progressing"), APP)
    argo.wait(at("1.1.0", "Synced", then), APP)
    health = []
    while not seen.empty():
        event = seen.get()
        assert event is not None
        health.append(event[1]["status"]["health"]["status"])
    assert [word for word, _ in itertools.groupby(health)] == [
        "Healthy",
        "Progressing",
        "Healthy",
        "Progressing",
        then,
    ]


@pytest.mark.parametrize(
    ("kind", "health"), [("degraded", "Degraded"), ("suspended", "Suspended"), ("progressing", "Progressing")]
)
def test_health_faults_come_and_go(argo: ArgoCD, kind: str, health: str) -> None:
    before = argo.application(APP)["status"]["health"]["lastTransitionTime"]
    argo.fault(APP, kind)
    document = argo.wait(at("1.0.0", "Synced", health), APP)
    assert document["status"]["health"]["lastTransitionTime"] >= before
    assert [r["health"]["status"] for r in document["status"]["resources"] if r["kind"] == "Deployment"] == [
        health
    ]
    argo.clear()
    argo.wait(at("1.0.0", "Synced", "Healthy"), APP)


def test_a_comparison_error_is_unknown_with_a_condition(argo: ArgoCD) -> None:
    argo.fault(APP, "comparison-error")
    get(argo, refresh="normal")
    document = argo.wait(at("1.0.0", "Unknown", "Healthy"), APP)
    condition = document["status"]["conditions"][0]
    assert condition["type"] == "ComparisonError"
    assert condition["message"].startswith(
        "Failed to load target state: failed to generate manifest for source 1 of 1"
    )
    argo.clear()
    assert "conditions" not in get(argo, refresh="normal").json()["status"]


def test_a_repository_error_is_hidden_without_a_refresh(world: World, argo: ArgoCD) -> None:
    pin(world, "7.7.7")
    argo.wait(lambda d: d["spec"]["source"]["targetRevision"] == "7.7.7", APP)
    with pytest.raises(TimeoutError):
        argo.wait(lambda d: d["status"]["sync"]["status"] == "Unknown", APP, 2.5)
    assert get(argo, refresh="normal").json()["status"]["conditions"][0]["type"] == "ComparisonError"


def test_a_version_that_does_not_exist_is_a_comparison_error_too(world: World, argo: ArgoCD) -> None:
    pin(world, "7.7.7")
    argo.wait(lambda d: d["spec"]["source"]["targetRevision"] == "7.7.7", APP)
    document = get(argo, refresh="normal").json()
    assert "7.7.7: not found" in document["status"]["conditions"][0]["message"]
    assert document["status"]["sync"]["revision"] == "7.7.7"
    assert {item["status"] for item in document["status"]["resources"]} == {"Unknown"}
    pin(world, "1.0.0")
    argo.wait(at("1.0.0", "Synced", "Healthy"), APP)


def test_a_failed_sync_is_not_tried_again(world: World, argo: ArgoCD) -> None:
    seen = argo._store.watch()
    argo.fault(APP, "sync-failed")
    pin(world, "1.1.0")
    document = argo.wait(
        lambda d: d["status"]["operationState"]["phase"] == "Failed" and "conditions" in d["status"], APP
    )
    status = document["status"]
    assert status["sync"]["status"] == "OutOfSync"
    assert status["operationState"]["syncResult"]["revision"] == "1.1.0"
    assert status["history"][-1]["revision"] == "1.0.0"
    assert status["conditions"][0]["message"].startswith(
        "Failed last sync attempt to [1.1.0]: one or more objects failed"
    )
    assert status["operationState"]["message"].endswith(" (retried 5 times).")
    assert get(argo, refresh="normal").json()["status"]["operationState"]["phase"] == "Failed"
    states = [state for event in events(seen) if (state := event["status"].get("operationState"))]
    pauses = [state["message"] for state in states if state["phase"] == "Running" and "finishedAt" in state]
    assert [re.search(r"attempt #(\d)", text)[1] for text in pauses] == list("12345")  # type: ignore[index]
    assert requests.get(argo.front(APP), timeout=5).text == "1.0.0"


def events(watcher: Any) -> Iterator[Json]:
    """The documents that a watcher has so far."""
    while not watcher.empty():
        yield watcher.get()[1]


def test_a_sync_that_fails_once_is_tried_again(world: World, argo: ArgoCD) -> None:
    argo.fault(APP, "sync-failed", times=1)
    pin(world, "1.1.0")
    state = argo.wait(at("1.1.0", "Synced", "Healthy"), APP)["status"]["operationState"]
    assert (state["phase"], state["retryCount"]) == ("Succeeded", 1)


def test_an_operation_that_ends_without_a_result_is_the_last(world: World, argo: ArgoCD) -> None:
    argo.fault(APP, "no-result", times=1)
    pin(world, "1.1.0")
    document = argo.wait(lambda d: "conditions" in d["status"], APP)
    assert document["status"]["operationState"]["phase"] == "Error"
    pin(world, "1.0.0")
    document = argo.wait(lambda d: d["status"]["sync"]["revision"] == "1.0.0" and compared(d), APP)
    assert document["status"]["sync"]["status"] == "OutOfSync"
    assert document["status"]["conditions"][0]["message"].startswith("Failed last sync attempt to []: ")
    argo._parent.reconcilers[APP].app.status["operationState"]["phase"] = "Failed"  # as after a sync by hand


@pytest.mark.parametrize("kind", ["sync-window", "auto-sync-off"])
def test_a_sync_that_may_not_start_stays_out_of_sync(world: World, argo: ArgoCD, kind: str) -> None:
    argo.fault(APP, kind)
    pin(world, "1.1.0")
    document = argo.wait(at("1.1.0", "OutOfSync", "Healthy"), APP)
    assert document["status"]["operationState"]["syncResult"]["revision"] == "1.0.0"
    assert ("automated" in document["spec"]["syncPolicy"]) == (kind == "sync-window")
    assert get(argo, f"applications/{APP}/syncwindows").json()["canSync"] == (kind == "auto-sync-off")
    argo.clear(APP, kind)
    argo.wait(at("1.1.0", "Synced", "Healthy"), APP)


def test_the_wrong_image_runs_the_old_software_under_the_new_tag(world: World, argo: ArgoCD) -> None:
    argo.fault(APP, "wrong-image")
    pin(world, "1.1.0")
    document = argo.wait(at("1.1.0", "Synced", "Healthy"), APP)
    assert document["status"]["summary"]["images"] == ["ghcr.io/acme/shop:v1.1.0"]
    assert requests.get(argo.front(APP), timeout=5).text == "1.0.0"


def test_a_parameter_set_by_hand_changes_the_content(argo: ArgoCD) -> None:
    argo.fault(APP, "helm-override", parameters={"greeting": "by hand"})
    trap = argo.wait(lambda d: "parameters" in d["spec"]["source"]["helm"], APP)
    assert "parameters" not in trap["status"]["sync"]["comparedTo"]["source"]["helm"]
    argo.wait(lambda d: compared(d) and at("1.0.0", "Synced", "Healthy")(d), APP)
    assert requests.get(f"{argo.front(APP)}/greeting", timeout=5).text == "by hand"


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("401", 401, "invalid session: token has invalid claims: token is expired"),
        ("403", 403, "permission denied"),
        ("429", 429, "Too Many Requests"),
        ("500", 500, "internal error"),
        ("502", 502, "<title>502 Bad Gateway</title>"),
        ("precondition", 400, "another operation is already in progress"),
    ],
)
def test_each_fault_of_the_api_has_its_response(argo: ArgoCD, kind: str, status: int, text: str) -> None:
    argo.fault(APP, kind, times=1)
    answer = get(argo)
    assert answer.status_code == status
    assert text in answer.text
    assert get(argo).status_code == 200


def test_a_redirect_to_a_login_page_on_another_host(argo: ArgoCD) -> None:
    argo.fault("*", "sso-redirect")
    answer = get(argo)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.url.startswith("http://localhost:")
    assert [("authorization" in headers) for headers in argo.login_requests] == [False], (
        "requests itself strips it"
    )


def test_streams_that_are_slow_cut_or_refused(argo: ArgoCD) -> None:
    fault = argo.fault(APP, "stream-cut", events=1)
    assert len(get(argo, "stream/applications", name=APP).text.splitlines()) == 1
    fault.release()
    argo.fault(APP, "no-stream", times=1)
    assert get(argo, "stream/applications", name=APP).status_code == 502
    argo.fault(APP, "stream-cut", events=2)
    argo.fault(APP, "slow-stream", delay=0.4)
    begun = time.monotonic()
    with requests.get(
        f"{argo.url}/api/v1/stream/applications",
        headers={"Authorization": f"Bearer {argo.token}"},
        stream=True,
        timeout=5,
    ) as answer:
        lines = answer.iter_lines(chunk_size=1)
        next(lines)
        get(argo, refresh="normal")
        next(lines)
    assert time.monotonic() - begun > 0.4


def test_each_fault_of_the_document_changes_its_shape(argo: ArgoCD) -> None:
    assert "lastTransitionTime" in get(argo).json()["status"]["health"]
    argo.fault(APP, "version-2")
    status = get(argo).json()["status"]
    assert "lastTransitionTime" not in status["health"]
    assert "resourceHealthSource" not in status
    argo.fault(APP, "unknown-fields")
    assert get(argo).json()["status"]["sync"]["x-later"]
    argo.fault(APP, "deleting")
    assert "deletionTimestamp" in get(argo).json()["metadata"]
    argo.fault(APP, "missing-status")
    assert "status" not in get(argo).json()
    argo.clear()
    assert "status" in get(argo).json()
