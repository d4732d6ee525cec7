"""The source `kubernetes` with recordings of a real API server, and with a small server of our own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.argocd.certificate import server_context
from lab.kubernetes import ApiServer
from stagegate.clients import kubernetes
from stagegate.errors import Stop
from stagegate.gate import pods, workloads
from stagegate.gate.expected import Expected
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Ready
from stagegate.gate.rolled_out import WorkloadsFound, observation
from stagegate.gate.workloads import WorkloadSource
from stagegate.model import Image
from tests.gate.virtual import Clock

Json = dict[str, Any]
RECORDINGS = sorted((Path(__file__).parents[1] / "cases/argo/recordings/kubernetes").glob("*.jsonl"))


class Recorded:
    """The recorded response of an API server at a time of the clock."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.header, *self._lines = [json.loads(line) for line in file.read_text().splitlines()]
        self._clock = clock

    def _at(self, path: str) -> Json:
        lines = [line for line in self._lines if line["get"] == path]
        return dict(next((x for x in reversed(lines) if x["t"] <= self._clock.now), lines[0])["body"])

    def get(self, path: str) -> Json | None:
        body = self._at(path)
        return None if body["kind"] == "Status" else body

    def objects(self, path: str, selector: str = "") -> list[Json]:  # noqa: ARG002
        return list(self._at(path)["items"])


def ended(file: Path, **more: Any) -> tuple[Rollout, float, Json]:
    clock = Clock()
    cluster = Recorded(file, clock)
    header = cluster.header
    (image,) = header["images"]
    release = (Image(reference=image["reference"], digest=image["index"]),)
    *_, namespace, _, name = next(x["get"] for x in cluster._lines if not x["get"].endswith("pods")).split(
        "/"
    )
    kind = next(x["get"] for x in cluster._lines if not x["get"].endswith("pods")).split("/")[-2]
    source = WorkloadSource(cluster, namespace, names=(f"{kind}/{name}",), release=release)
    expected = Expected(version=header["version"], pinned=header["version"], settle=3.0, **more)
    tags = (f"v{header['version']}",)

    def related(_: str, running: str) -> bool:
        return running in (image["index"], image["platform"], image["config"])

    order = Order(
        environment="staging",
        names=(namespace,),
        timeout=60.0,
        commit=lambda *_: "current",
        pods=lambda name: pods.look(source, name, release, tags, related).judgement,
        stuck=lambda name: pods.stuck(source, name, release, tags),
    )
    found = workloads.wait(
        source,
        expected,
        order,
        lambda seen: observation(seen, expected, release, tags, related),
        clock=clock,
        sleep=clock.sleep,
    )
    return found, clock.now, header


def last_change(file: Path) -> float:
    """When the workload itself changed for the last time."""
    lines = [json.loads(line) for line in file.read_text().splitlines()[1:]]
    return float(max(line["t"] for line in lines if not line["get"].endswith("/pods")))


@pytest.mark.parametrize("file", RECORDINGS, ids=[file.stem for file in RECORDINGS])
def test_a_recorded_roll_out_ends_as_expected(file: Path) -> None:
    found, seconds, header = ended(file)
    ends = {"waiting": "timeout"}.get(header["ends"], header["ends"])
    assert (found.outcome, found.seen[0].source) == (ends, "kubernetes"), found
    if ends == "ready":
        assert seconds >= last_change(file) + 1, "it was not rolled out before"
        assert seconds <= last_change(file) + 12
    if ends == "failed":
        assert (found.reason, "CrashLoopBackOff" in found.detail) == ("degraded", True)
    if ends == "timeout":
        assert (found.reason, found.failing) == ("suspended", "")


SHOP = "ghcr.io/acme/shop"
NEW, OLD = "sha256:" + "1" * 64, "sha256:" + "2" * 64
RELEASE = (Image(reference=SHOP, digest=NEW),)


def workload(kind: str, image: str = f"{SHOP}:v1.1.0", status: Json | None = None, **spec: Any) -> Json:
    kinds: dict[str, Json] = {
        "Deployment": {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
        "StatefulSet": {
            "updatedReplicas": 2,
            "availableReplicas": 2,
            "currentRevision": "b",
            "updateRevision": "b",
        },
        "DaemonSet": {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2},
        "Job": {"conditions": [{"type": "Complete", "status": "True"}]},
        "CronJob": {},
    }
    template: Json = {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "a", "image": image}]},
    }
    given = {"jobTemplate": {"spec": {"template": template}}} if kind == "CronJob" else {"template": template}
    return {
        "kind": kind,
        "metadata": {"name": "shop", "generation": 3},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "shop"}}, **given, **spec},
        "status": {"observedGeneration": 3, **kinds[kind], **(status or {})},
    }


DEADLINE = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}
FAILED_JOB = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([workload("Deployment")], "ready"),
        ([workload("StatefulSet")], "ready"),
        ([workload("DaemonSet")], "ready"),
        ([workload("Deployment"), workload("Job")], "ready"),
        ([workload("Deployment", f"{SHOP}@{NEW}")], "ready"),
        ([workload("Deployment"), workload("Deployment", "redis:7")], "ready"),
        ([workload("Deployment", paused=True)], "ready"),
        (
            [workload("StatefulSet", updateStrategy={"type": "OnDelete"}, status={"updateRevision": "c"})],
            "ready",
        ),
        ([workload("Deployment"), workload("Job", f"{SHOP}:v1.0.0", status=FAILED_JOB)], "ready"),
        ([workload("Deployment", f"{SHOP}:v1.0.0")], "old-revision"),
        ([workload("Deployment", f"{SHOP}@{OLD}")], "old-revision"),
        ([workload("Deployment"), workload("CronJob", f"{SHOP}:v1.0.0")], "old-revision"),
        ([], "missing"),
        ([workload("Deployment", "redis:7")], "missing"),
        ([workload("Job", f"{SHOP}:v1.0.0")], "missing"),
        ([workload("Deployment", status={"observedGeneration": 2})], "progressing"),
        ([workload("Deployment", status={"updatedReplicas": 1})], "progressing"),
        ([workload("Deployment", status={"replicas": 3})], "progressing"),
        ([workload("Deployment", status={"availableReplicas": 1})], "progressing"),
        ([workload("Deployment", paused=True, status={"updatedReplicas": 0})], "suspended"),
        ([workload("Deployment", status=DEADLINE)], "degraded"),
        ([workload("StatefulSet", status={"currentRevision": "a"})], "progressing"),
        ([workload("StatefulSet", status={"availableReplicas": 1})], "progressing"),
        ([workload("DaemonSet", status={"updatedNumberScheduled": 1})], "progressing"),
        ([workload("DaemonSet", status={"numberAvailable": 1})], "progressing"),
        ([workload("Job", status={"conditions": [], "active": 1})], "progressing"),
        ([workload("Job", status={"conditions": []}, suspend=True)], "suspended"),
        ([workload("Job", status=FAILED_JOB)], "degraded"),
    ],
)
def test_a_workload_is_judged_by_generation_replicas_and_images(found: list[Json], reason: str) -> None:
    seen = observation(
        WorkloadsFound(workloads=tuple(found)),
        Expected(version="1.1.0"),
        RELEASE,
        ("v1.1.0",),
        lambda _, d: d == NEW,
    )
    assert seen.reason == reason, seen


def test_only_replicas_beyond_the_partition_must_be_updated() -> None:
    kept = {"rollingUpdate": {"partition": 1}}
    part = workload("StatefulSet", updateStrategy=kept, status={"updatedReplicas": 1, "currentRevision": "a"})
    seen = observation(
        WorkloadsFound(workloads=(part,)), Expected(version="1"), RELEASE, ("v1.1.0",), lambda *_: False
    )
    assert seen.reason == "ready"


# --- the API server -------------------------------------------------------------------------------------------


@pytest.fixture
def api() -> Iterator[ApiServer]:
    with ApiServer() as server:
        for kind, place in (("Deployment", "apps/v1"), ("Job", "batch/v1"), ("CronJob", "batch/v1")):
            body = workload(kind)
            del body["kind"]  # a list's items have none
            server.put(f"/apis/{place}/namespaces/shop/{kind.lower()}s", body)
        for number in range(5):
            server.put(
                "/api/v1/namespaces/shop/pods",
                {
                    "metadata": {"name": f"shop-{number}", "labels": {"app": "shop" if number else "other"}},
                    "spec": {"containers": [{"name": "a", "image": f"{SHOP}:v1.1.0"}]},
                    "status": {
                        "phase": "Running",
                        "containerStatuses": [{"name": "a", "imageID": f"{SHOP}@{NEW}"}],
                    },
                },
            )
        yield server


def kubeconfig(folder: Path, user: Json, cluster: Json) -> Path:
    file = folder / "config"
    config = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    file.write_text(yaml.safe_dump(config))
    return file


def opened(folder: Path, api: ApiServer, user: Json | None = None) -> kubernetes.KubernetesApi:
    file = kubeconfig(folder, {"token": api.token} if user is None else user, {"server": api.url})
    return kubernetes.KubernetesApi(kubernetes.access({"KUBECONFIG": f"{folder / 'absent'}:{file}"}))


def test_workloads_and_pods_are_read_in_pages(tmp_path: Path, api: ApiServer) -> None:
    cluster = opened(tmp_path, api)
    source = WorkloadSource(cluster, cluster.namespace, release=RELEASE)
    assert [one["kind"] for one in source.find().workloads] == ["Deployment", "CronJob", "Job"]
    found = pods.look(source, "shop", RELEASE, ("v1.1.0",), lambda _, digest: digest == NEW)
    assert found.proven == (f"{SHOP}@{NEW}",)
    assert len(source.tree("shop")["nodes"]) == 4, "the pod with other labels belongs to another app"
    named = WorkloadSource(cluster, "shop", names=("deployment/shop", "jobs/absent"), release=RELEASE)
    assert named.find().missing == ("Job/absent",)
    with pytest.raises(Stop, match="not a workload"):
        WorkloadSource(cluster, "shop", names=("service/shop",))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((403, {"message": "pods is forbidden"}), "missing-permission"),
        ((500, {"message": "etcd"}), "server-error"),
        ((429, {}), "rate-limited"),
        (
            (404, {"kind": "Status", "message": "the server could not find the requested resource"}),
            "unknown-state",
        ),
    ],
)
def test_every_refusal_has_its_reason(tmp_path: Path, api: ApiServer, answer: Any, reason: str) -> None:
    api.answer = answer
    with pytest.raises(Stop) as stopped:
        opened(tmp_path, api).objects("/api/v1/namespaces/shop/pods")
    assert stopped.value.reason == reason


def test_an_expired_token_is_reported_as_expired(tmp_path: Path, api: ApiServer) -> None:
    with pytest.raises(Stop) as stopped:
        opened(tmp_path, api, {"token": "old"}).objects("/api/v1/namespaces/shop/pods")
    assert stopped.value.reason == "token-expired"


@pytest.mark.parametrize(("heals", "ends"), [(15.0, "ready"), (1e9, "server-error")])
def test_an_outage_of_the_api_server_is_tolerated_and_gives_no_verdict(
    tmp_path: Path, api: ApiServer, heals: float, ends: str
) -> None:
    clock = Clock()
    source = WorkloadSource(opened(tmp_path, api), "shop", release=RELEASE)
    expected = Expected(version="1.1.0", settle=4.0, patience=30.0)
    order = Order(
        environment="staging",
        names=("shop",),
        timeout=600.0,
        commit=lambda *_: "current",
        pods=lambda _: Ready(),
    )

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        api.answer = (503, {"message": "away"}) if 2 <= clock.now < heals else None

    try:
        found = workloads.wait(
            source,
            expected,
            order,
            lambda seen: observation(seen, expected, RELEASE, ("v1.1.0",), lambda *_: False),
            clock=clock,
            sleep=sleep,
        )
        assert (found.outcome, 15 + 4 <= clock.now <= 25) == (ends, True)
    except Stop as stop:
        assert (stop.reason, 32 <= clock.now <= 36) == (ends, True)


def test_a_kubeconfig_names_files_contents_and_commands(tmp_path: Path, api: ApiServer) -> None:
    (tmp_path / "token").write_text(f"{api.token}\n")
    assert opened(tmp_path, api, {"tokenFile": "token"}).objects("/api/v1/namespaces/shop/pods")
    program = tmp_path / "login"
    program.write_text('#!/bin/sh\nprintf \'{"status": {"token": "%s"}}\' "$PART"\n')
    program.chmod(0o755)
    command = {"exec": {"command": str(program), "env": [{"name": "PART", "value": api.token}]}}
    assert opened(tmp_path, api, command).objects("/api/v1/namespaces/shop/pods")
    program.write_text("#!/bin/sh\necho no >&2\nexit 3\n")
    with pytest.raises(Stop, match="returned no token"):
        opened(tmp_path, api, command)


def test_the_certificate_authority_of_the_kubeconfig_is_checked(tmp_path: Path) -> None:
    context, ca = server_context(tmp_path / "tls")
    with ApiServer(tls=context) as api:
        api.put("/api/v1/namespaces/shop/pods", {"metadata": {"name": "shop-1"}})
        data = base64.b64encode(ca.read_bytes()).decode()
        trusted = kubeconfig(
            tmp_path, {"token": api.token}, {"server": api.url, "certificate-authority-data": data}
        )
        assert kubernetes.KubernetesApi(kubernetes.from_kubeconfig(trusted)).objects(
            "/api/v1/namespaces/shop/pods"
        )
        other = kubeconfig(tmp_path, {"token": api.token}, {"server": api.url})
        with pytest.raises(Stop) as stopped:
            kubernetes.KubernetesApi(kubernetes.from_kubeconfig(other)).objects(
                "/api/v1/namespaces/shop/pods"
            )
        assert stopped.value.reason == "unreachable"


def test_a_pod_uses_its_own_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api: ApiServer) -> None:
    for name, content in {"token": api.token, "namespace": "shop", "ca.crt": "x"}.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(kubernetes, "_POD", tmp_path)
    environ = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    found = kubernetes.access(environ)
    assert (found.server, found.token, found.namespace) == ("https://10.0.0.1:443", api.token, "shop")
    with pytest.raises(Stop, match="no kubeconfig"):
        kubernetes.access({"HOME": str(tmp_path)})
