"""Roll-outs as Argo CD shows them, with the pods as processes behind a front that never refuses."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from lab.argocd import ArgoCD
from lab.registry import Registry
from tests.lab.argo_world import World

Json = dict[str, Any]
count = itertools.count()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with three releases: 1.0.0, 1.1.0 and 1.3.0, whose program ends at once."""
    root = tmp_path_factory.mktemp("registry")
    with Registry(root / "data") as registry:
        world = World(root, registry.host)
        world.release("1.0.0")
        world.release("1.1.0")
        world.release("1.3.0", answers="1.3.0-crash")
        yield registry.host


@pytest.fixture
def world(host: str, tmp_path: Path) -> World:
    return World(tmp_path, host).begin()


def start(world: World, **options: Any) -> ArgoCD:
    options.setdefault("interval", 0.1)
    return ArgoCD(
        world.root / f"argo{next(count)}", world.bare, registry_rewrite={"ghcr.io": world.host},
        git_rewrite={"https://github.com/acme/shop.git": world.bare}, **options,
    )  # fmt: skip


def state(document: Json) -> tuple[str, str, str, str, str]:
    """(pinned version, revision, sync, health, phase), `+` after the phase while `operation` is set."""
    status, spec = document["status"], document["spec"]
    phase = status.get("operationState", {}).get("phase", "") + ("+" if "operation" in document else "")
    sync = status["sync"]
    return (
        spec["source"]["targetRevision"],
        sync.get("revision", ""),
        sync["status"],
        status["health"].get("status", ""),
        phase,
    )


def settled(version: str) -> Any:
    def good(document: Json) -> bool:
        fresh = document["status"].get("reconciledAt", "") >= document["status"].get(
            "operationState", {}
        ).get("finishedAt", "~")
        return state(document) == (version, version, "Synced", "Healthy", "Succeeded") and fresh

    return good


def watch(argo: ArgoCD, name: str, seen: list[Json]) -> threading.Thread:
    """Collect a stream's events until the server closes it."""

    def read() -> None:
        headers = {"Authorization": f"Bearer {argo.token}", "Accept": "text/event-stream"}
        answer = requests.get(
            f"{argo.url}/api/v1/stream/applications",
            params={"name": name},
            headers=headers,
            stream=True,
            timeout=20,
        )
        for line in answer.iter_lines():
            if line:
                assert line.startswith(b"data: ")
                seen.append(json.loads(line[6:])["result"])

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def test_a_moved_pin_is_shown_step_by_step_and_no_request_is_lost(world: World) -> None:
    world.pin("shop-staging", "1.0.0")
    seen: list[Json] = []
    answers: list[tuple[int, str]] = []
    done = threading.Event()

    def ask() -> None:
        session = requests.Session()
        while not done.is_set() or answers[-1][1] == "1.0.0":
            answer = session.get(front, timeout=5)
            answers.append((answer.status_code, answer.text))

    with start(world) as argo:
        argo.wait(settled("1.0.0"), "shop-staging")
        front = argo.front("shop-staging")
        stream = watch(argo, "shop-staging", seen)
        slow: list[str] = []
        threads = [
            threading.Thread(target=ask),
            threading.Thread(target=lambda: slow.append(requests.get(f"{front}/slow", timeout=9).text)),
        ]
        for thread in threads:
            thread.start()
        world.pin("shop-staging", "1.1.0")
        argo.wait(settled("1.1.0"), "shop-staging")
        assert requests.get(front, timeout=5).text == "1.1.0"
        done.set()
        for thread in threads:
            thread.join()
    stream.join(5)

    documents = [event["application"] for event in seen]
    assert [event["type"] for event in seen] == ["ADDED", *["MODIFIED"] * (len(seen) - 1)]
    versions = [int(document["metadata"]["resourceVersion"]) for document in documents]
    assert versions == sorted(set(versions))
    assert [key for key, _ in itertools.groupby(map(state, documents))] == [
        ("1.0.0", "1.0.0", "Synced", "Healthy", "Succeeded"),
        ("1.1.0", "1.0.0", "Synced", "Healthy", "Succeeded"),  # the old revision, after Git moved
        ("1.1.0", "1.1.0", "OutOfSync", "Healthy", "Succeeded"),
        (
            "1.1.0",
            "1.1.0",
            "OutOfSync",
            "Healthy",
            "Succeeded+",
        ),  # a sync is requested, and the old operation is still shown
        ("1.1.0", "1.1.0", "OutOfSync", "Healthy", "Running+"),
        ("1.1.0", "1.1.0", "Synced", "Healthy", "Running+"),
        ("1.1.0", "1.1.0", "Synced", "Healthy", "Succeeded"),  # health from before the operation
        ("1.1.0", "1.1.0", "Synced", "Progressing", "Succeeded"),
        ("1.1.0", "1.1.0", "Synced", "Healthy", "Succeeded"),
    ]
    trap = next(
        d["status"] for d in documents if state(d) == ("1.1.0", "1.1.0", "Synced", "Healthy", "Succeeded")
    )
    assert trap["reconciledAt"] < trap["operationState"]["finishedAt"]
    assert documents[-1]["status"]["reconciledAt"] >= documents[-1]["status"]["operationState"]["finishedAt"]
    assert [entry["revision"] for entry in documents[-1]["status"]["history"]] == ["1.0.0", "1.1.0"]

    assert {status for status, _ in answers} == {200}
    assert [text for text, _ in itertools.groupby(text for _, text in answers)] == ["1.0.0", "1.1.0"]
    assert slow == ["1.0.0"], "a request in flight is answered by the process that took it"


def pod_words(argo: ArgoCD) -> list[str]:
    """The states of the application's pods as `kubectl get pods` shows them."""
    url, headers = (
        f"{argo.url}/api/v1/applications/shop-staging/resource-tree",
        {"Authorization": f"Bearer {argo.token}"},
    )
    nodes = requests.get(url, headers=headers, timeout=5).json()["nodes"]
    return sorted(node["info"][0]["value"] for node in nodes if node["kind"] == "Pod")


def test_a_release_that_crashes_leaves_the_old_one_serving(world: World) -> None:
    world.pin("shop-staging", "1.0.0")
    with start(world, progress_deadline=1.0) as argo:
        argo.wait(settled("1.0.0"), "shop-staging")
        world.pin("shop-staging", "1.3.0")
        document = argo.wait(lambda d: d["status"]["health"]["status"] == "Degraded", "shop-staging")
        assert state(document)[1:3] == ("1.3.0", "Synced")
        assert requests.get(argo.front("shop-staging"), timeout=5).text == "1.0.0"
        deadline = time.monotonic() + 10
        while pod_words(argo) != [
            "CrashLoopBackOff",
            "Running",
        ]:  # it runs for a moment at each attempt
            assert time.monotonic() < deadline
            time.sleep(0.1)
        world.pin("shop-staging", "1.1.0")
        argo.wait(settled("1.1.0"), "shop-staging")
        assert requests.get(argo.front("shop-staging"), timeout=5).text == "1.1.0"


def test_an_application_removed_from_git_is_removed_with_its_pods(world: World) -> None:
    world.pin("shop-prod", "1.0.0")
    world.pin("shop-staging", "1.0.0")
    with start(world) as argo:
        argo.wait(settled("1.0.0"), "shop-staging")
        front = argo.front("shop-staging")
        world.push({"deploy/argocd/shop-staging.yaml": None})
        deadline = time.monotonic() + 10
        while requests.get(front, timeout=5).status_code != 503:
            assert time.monotonic() < deadline
        with pytest.raises(LookupError, match="shop-prod"):
            argo.application("shop-staging")
        argo.wait(settled("1.0.0"), "shop-prod")


def test_a_secret_that_is_not_in_git_holds_the_pod_until_it_is_there(world: World) -> None:
    file = "deploy/argocd/shop-staging.yaml"
    world.pin("shop-staging", "1.0.0")
    text = (world.work / file).read_text()
    world.push({file: text.replace("greeting:", "secret: login\n        greeting:")})
    with start(world) as argo:
        argo.wait(lambda d: d["status"].get("operationState", {}).get("phase") == "Succeeded", "shop-staging")
        document = argo.wait(lambda d: d["status"]["health"]["status"] == "Progressing", "shop-staging")
        assert document["status"]["sync"]["status"] == "Synced"
        assert requests.get(argo.front("shop-staging"), timeout=5).status_code == 503
        argo.secrets["shop-staging/login"] = {"password": "hush"}
        argo.wait(settled("1.0.0"), "shop-staging")


def test_reconciliation_stops_on_request_and_resumes_with_a_comparison(world: World) -> None:
    world.pin("shop-staging", "1.0.0")
    with start(world) as argo:
        argo.wait(settled("1.0.0"), "shop-staging")
        argo.stop_reconcile()
        world.pin("shop-staging", "1.1.0")
        with pytest.raises(TimeoutError):
            argo.wait(lambda d: state(d)[0] != "1.0.0", "shop-staging", 0.5)
        argo.resume()
        assert state(argo.application("shop-staging"))[0] == "1.1.0"
        argo.wait(settled("1.1.0"), "shop-staging")


OWNER = """
import sys, time
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from lab.argocd import ArgoCD
root, bare, host = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
argo = ArgoCD(root, bare, registry_rewrite={"ghcr.io": host}, interval=0.1)
argo.wait(lambda d: d["status"]["health"].get("status") == "Healthy" and "operationState" in d["status"], "shop-staging")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_pods_end_when_their_owner_is_killed(world: World) -> None:
    world.pin("shop-staging", "1.0.0")
    root = world.root / "owned"
    here = str(Path(__file__).parents[2])
    argv = [sys.executable, "-c", OWNER, here, str(root), str(world.bare), world.host]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        pods = [pid for pid in _processes() if str(root) in _cwd(pid)]
        assert pods
        owner.kill()
    deadline = time.monotonic() + 5
    while any(str(root) in _cwd(pid) for pid in pods):
        assert time.monotonic() < deadline, "a pod outlived its owner"
        time.sleep(0.05)


def _processes() -> list[str]:
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _cwd(pid: str) -> str:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink())
    except OSError:
        return ""


def test_images_of_registries_the_lab_does_not_have_are_refused(world: World) -> None:
    pod = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "stray"},
        "spec": {"template": {"spec": {"containers": [{"name": "x", "image": "quay.io/acme/other:v1"}]}}},
    }  # fmt: skip
    application = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "stray"},
        "spec": {
            "source": {"repoURL": "https://github.com/acme/shop.git", "path": "plain", "targetRevision": "main"},
            "destination": {"namespace": "stray"}, "syncPolicy": {"automated": {}},
        },
    }  # fmt: skip
    world.push({"deploy/argocd/stray.yaml": json.dumps(application), "plain/pod.json": json.dumps(pod)})
    with start(world) as argo:
        argo.wait(lambda d: d["status"]["health"].get("status") == "Progressing", "stray")
        headers = {"Authorization": f"Bearer {argo.token}"}
        tree = requests.get(
            f"{argo.url}/api/v1/applications/stray/resource-tree", headers=headers, timeout=5
        ).json()
        pod_node = next(node for node in tree["nodes"] if node["kind"] == "Pod")
        assert pod_node["health"]["status"] == "Degraded"
        assert "does not leave this machine" in pod_node["health"]["message"]
