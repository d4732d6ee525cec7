"""Argo CD's REST API: which tokens it accepts, its refusals, and its live objects and streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.argocd import ArgoCD
from lab.registry import Registry
from stagegate.clients.argocd.client import ArgoCD as Client
from stagegate.clients.argocd.clusters import Clusters
from tests.lab.argo_world import World

Json = dict[str, Any]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ArgoCD, World, str]]:
    """Two environments at 1.0.0, and the digest of the image's index."""
    root = tmp_path_factory.mktemp("world")
    with Registry(root / "data") as registry:
        world = World(root, registry.host).begin()
        digest = world.release("1.0.0")
        world.pin("shop-staging", "1.0.0")
        world.pin("shop-prod", "1.0.0")
        rewrite = {"ghcr.io": registry.host}
        with ArgoCD(
            root / "argo", world.bare, registry_rewrite=rewrite, interval=0.1, refresh_deadline=1.0
        ) as argo:
            for name in ("shop-staging", "shop-prod"):
                argo.wait(
                    lambda d: d["status"]["health"].get("status") == "Healthy" and "operation" not in d, name
                )
            yield argo, world, digest


def get(argo: ArgoCD, path: str, token: str | None = None, **query: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {argo.token if token is None else token}"}
    return requests.get(f"{argo.url}/api/v1/{path}", params=query, headers=headers, timeout=5)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (None, "no session information"),
        (
            "Bearer nonsense",
            "invalid session: token is malformed: token contains an invalid number of segments",
        ),
        ("Bearer a.b.c", "invalid session: token signature is invalid: signature is invalid"),
    ],
)
def test_an_invalid_session_is_refused_in_argo_cds_words(
    running: tuple[ArgoCD, World, str], header: str | None, why: str
) -> None:
    argo = running[0]
    headers = {"Authorization": header} if header else {}
    for path in ("applications/shop-staging", "applications", "stream/applications"):
        answer = requests.get(f"{argo.url}/api/v1/{path}", headers=headers, timeout=5)
        assert (answer.status_code, answer.json()) == (401, {"error": why, "code": 16, "message": why})


def test_an_expired_token_is_named_as_expired(running: tuple[ArgoCD, World, str]) -> None:
    answer = get(running[0], "applications/shop-staging", running[0].add_token("old", expires=-1))
    assert answer.status_code == 401
    assert answer.json()["message"] == "invalid session: token has invalid claims: token is expired"


def test_missing_and_forbidden_differ_only_with_the_project(
    running: tuple[ArgoCD, World, str],
) -> None:
    argo = running[0]
    narrow = argo.add_token("gate", applications=["default/shop-staging"])
    assert get(argo, "applications/shop-staging", narrow).status_code == 200
    denied = {"error": "permission denied", "code": 7, "message": "permission denied"}
    for name, token, query in (
        ("shop-prod", narrow, {}),
        ("shop-prod", narrow, {"project": "default"}),
        ("nowhere", argo.token, {}),
        ("shop-staging", argo.token, {"appNamespace": "elsewhere"}),
    ):
        answer = get(argo, f"applications/{name}", token, **query)
        assert (answer.status_code, answer.json()) == (403, denied)
    answer = get(argo, "applications/nowhere", project="default")
    assert (answer.status_code, answer.json()["code"]) == (404, 5)
    assert get(argo, "applications/shop-staging", project="other").status_code == 404


def test_a_list_has_the_applications_that_token_and_selector_allow(
    running: tuple[ArgoCD, World, str],
) -> None:
    argo = running[0]

    def names(token: str | None = None, **query: str) -> list[str]:
        items = get(argo, "applications", token, **query).json()["items"]
        return [item["metadata"]["name"] for item in items or ()]

    assert names() == ["shop-prod", "shop-staging"]
    assert names(argo.add_token("gate", applications=["shop-prod"])) == ["shop-prod"]
    assert names(selector="app=shop,stage!=shop-prod") == ["shop-staging"]
    assert names(selector="stage in (shop-prod,other)") == ["shop-prod"]
    assert get(argo, "applications", selector="app=none").json()["items"] is None
    assert names(projects="other") == []


def test_clusters_are_listed_for_tokens_that_may_see_them(running: tuple[ArgoCD, World, str]) -> None:
    argo, _, _ = running
    known = Clusters(Client(argo.url, argo.token)).of({"name": "in-cluster"})
    assert (known.kube_version, known.trouble) == ("1.34", "")
    assert "apps/v1/Deployment" in known.api_versions
    narrow = Clusters(Client(argo.url, argo.add_token("narrow", ["shop-prod"])))
    assert "needs `clusters, get`" in narrow.of({"server": "https://kubernetes.default.svc/"}).trouble
    wrong = Clusters(Client(argo.url, "a.b.c")).of({"name": "in-cluster"})
    assert wrong.kube_version == ""
    assert wrong.trouble


def test_a_pod_shows_the_digest_it_runs(running: tuple[ArgoCD, World, str]) -> None:
    argo, _, digest = running
    nodes = get(argo, "applications/shop-staging/resource-tree").json()["nodes"]
    pod = next(node for node in nodes if node["kind"] == "Pod")
    owners = {node["uid"]: node["kind"] for node in nodes}
    assert owners[pod["parentRefs"][0]["uid"]] == "ReplicaSet"
    assert pod["images"] == ["ghcr.io/acme/shop:v1.0.0"]
    where = {
        "namespace": pod["namespace"],
        "resourceName": pod["name"],
        "version": "v1",
        "group": "",
        "kind": "Pod",
    }
    live = json.loads(get(argo, "applications/shop-staging/resource", **where).json()["manifest"])
    container = live["status"]["containerStatuses"][0]
    assert container["image"] == "ghcr.io/acme/shop:v1.0.0"
    assert container["imageID"] == f"ghcr.io/acme/shop@{digest}"
    assert container["ready"] is True
    gone = get(argo, "applications/shop-staging/resource", **{**where, "resourceName": "none"})
    assert (gone.status_code, gone.json()["code"]) == (400, 3)


def test_manifests_are_json_texts_without_secrets(running: tuple[ArgoCD, World, str]) -> None:
    argo, world, _ = running
    world.chart("1.0.1", "greeting: other")
    answers = [get(argo, f"applications/shop-staging/{what}") for what in ("manifests", "managed-resources")]
    assert "hush" not in answers[0].text + answers[1].text
    kinds = [json.loads(text)["kind"] for text in answers[0].json()["manifests"]]
    assert kinds == ["Secret", "Service", "Deployment"]
    deployment = json.loads(answers[0].json()["manifests"][2])
    tracking = deployment["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
    assert tracking == "shop-staging:apps/Deployment:shop-staging/shop"
    for query in ({"revision": "1.0.1"}, {"revisions": "1.0.1", "sourcePositions": "1"}):
        assert ":v1.0.1" in get(argo, "applications/shop-staging/manifests", **query).text
    missing = get(argo, "applications/shop-staging/manifests", revision="9.9.9")
    assert missing.status_code == 500
    assert "9.9.9: not found" in missing.json()["message"]


def test_a_stream_shows_only_what_the_token_may_see(running: tuple[ArgoCD, World, str]) -> None:
    argo = running[0]
    token = argo.add_token("gate", applications=["shop-prod"])
    headers = {"Authorization": f"Bearer {token}"}
    version = argo.application("shop-prod")["metadata"]["resourceVersion"]
    url = f"{argo.url}/api/v1/stream/applications"
    with requests.get(url, headers=headers, stream=True, timeout=5) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        lines = answer.iter_lines(chunk_size=1)
        assert json.loads(next(lines))["result"]["application"]["metadata"]["name"] == "shop-prod"
        get(argo, "applications/shop-staging", refresh="normal")
        get(argo, "applications/shop-prod", refresh="normal")
        event = json.loads(next(lines))["result"]
        assert (event["type"], event["application"]["metadata"]["name"]) == ("MODIFIED", "shop-prod")
    params = {
        "resourceVersion": version
    }  # without events of existing Applications, so without headers at first
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(requests.get, url, params=params, headers=headers, stream=True, timeout=5)
        while not asked.done():
            get(argo, "applications/shop-prod", refresh="normal")
        with asked.result() as answer:
            assert json.loads(next(answer.iter_lines(chunk_size=1)))["result"]["type"] == "MODIFIED"


def test_a_stream_of_what_the_token_may_not_see_has_not_even_headers(
    running: tuple[ArgoCD, World, str],
) -> None:
    argo = running[0]
    headers = {"Authorization": f"Bearer {argo.add_token('other', applications=['shop-prod'])}"}
    url = f"{argo.url}/api/v1/stream/applications"
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, params={"name": "shop-staging"}, headers=headers, stream=True, timeout=0.5)


def test_a_refresh_waits_for_a_comparison(running: tuple[ArgoCD, World, str]) -> None:
    argo = running[0]
    before = argo.application("shop-prod")["metadata"]["resourceVersion"]
    answer = get(argo, "applications/shop-prod", refresh="hard").json()
    assert int(answer["metadata"]["resourceVersion"]) > int(before)
    assert "argocd.argoproj.io/refresh" not in answer["metadata"].get("annotations", {})
    fault = argo.fault("shop-prod", "stale")
    late = get(argo, "applications/shop-prod", refresh="normal")
    assert (late.status_code, late.json()["message"]) == (500, "application refresh deadline exceeded")
    waiting = get(argo, "applications/shop-prod").json()
    assert waiting["metadata"]["annotations"]["argocd.argoproj.io/refresh"] == "normal"
    fault.release()
    argo.wait(lambda d: "annotations" not in d["metadata"], "shop-prod")


def test_every_write_is_refused_and_recorded(running: tuple[ArgoCD, World, str]) -> None:
    argo = running[0]
    headers = {"Authorization": f"Bearer {argo.token}"}
    answer = requests.post(
        f"{argo.url}/api/v1/applications/shop-prod/sync", json={}, headers=headers, timeout=5
    )
    assert (answer.status_code, answer.json()["code"]) == (403, 7)
    assert "POST /api/v1/applications/shop-prod/sync" in argo.calls


def test_a_private_authority_signs_the_tls_certificate(
    running: tuple[ArgoCD, World, str], tmp_path: Path
) -> None:
    world = running[1]
    with ArgoCD(tmp_path, world.bare, manifests="nothing", tls=True) as argo:
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{argo.url}/healthz", timeout=5)
        assert requests.get(f"{argo.url}/healthz", timeout=5, verify=str(argo.ca)).text == "ok"


def test_health_version_and_sync_windows_are_served(running: tuple[ArgoCD, World, str]) -> None:
    argo = running[0]
    assert requests.get(f"{argo.url}/healthz", timeout=5).text == "ok"
    assert requests.get(f"{argo.url}/api/version", timeout=5).json()["Version"] == "v3.1.0"
    assert get(argo, "settings").status_code == 404
    assert get(argo, "applications/shop-prod/syncwindows").json()["canSync"] is True
