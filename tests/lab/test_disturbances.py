"""A roll-out in the lab ends as docs/gate.md says with each disturbance: real processes, registry, client and streams.

How long each is endured is tried in virtual time in tests/gate/test_rollout.py. Here only the end counts, never how long
a busy machine takes to get there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
import requests

from lab.argocd import ArgoCD
from lab.registry import Registry
from stagegate.clients import argocd
from stagegate.clients.registry import Registry as Client
from stagegate.errors import Stop
from stagegate.gate import pods, rollout
from stagegate.gate.expected import Expected
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Judgement
from stagegate.model import Image
from tests.lab.argo_world import APPLICATION, World

SETTLE, PATIENCE, DEGRADED = 1.0, 6.0, 4.0
LONG, MEDIUM, SHORT = 240.0, 60.0, 15.0  # seconds; the latter two begin when the lab shows the state already
SHOP = "ghcr.io/acme/shop"
LONG_AGO = "sha256:" + "e" * 64


class Case(NamedTuple):
    """How a wait ends, with which reason, and the faults put on the Application before its pin moves."""

    ends: str
    reason: str
    faults: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, Any] = {}
    later: bool = False  # the faults begin when the gate has looked once


CASES: dict[str, Case] = {
    "stale-document": Case("ready", "ready", {"stale": {"seconds": 2.0}}),
    "lost-refresh": Case("ready", "ready", {"lost-refresh": {"times": 2}}),
    "health-flap": Case("ready", "ready", {"flap": {"good": 0.6, "pause": 0.8}}),
    "degraded-for-a-while": Case(
        "ready", "ready", {"object-health": {"seconds": 2.0}}, {"degraded_after": LONG}
    ),
    "comparison-error-for-a-while": Case("ready", "ready", {"comparison-error": {"seconds": 2.0}}),
    "registry-429": Case("ready", "ready", {"comparison-error": {"seconds": 2.0, "message": "429"}}),
    "repo-server-down": Case("ready", "ready", {"repo-server-down": {"seconds": 3.0}}, {"patience": LONG}),
    "api-server-403": Case("ready", "ready", {"403": {"seconds": 3.0}}, {"patience": LONG}, later=True),
    "slow-stream": Case("ready", "ready", {"slow-stream": {"delay": 2.0}}),
    "stream-cut": Case("ready", "ready", {"stream-cut": {"events": 1}}),
    "megabyte": Case("ready", "ready", {"large": {}}),
    "image-id-of-config": Case("ready", "ready", {"image-id": {"image_id": ""}}),
    "image-id-bare": Case("ready", "ready", {"image-id": {"image_id": "{digest}"}}),
    "degraded-for-good": Case("failed", "degraded", {"degraded": {}}),
    "hpa-without-metrics": Case("failed", "degraded", {"object-health": {"message": "no metrics"}}),
    "comparison-error": Case(
        "failed", "comparison-error", {"comparison-error": {"message": "chart not found"}}
    ),
    "project-forbids": Case("failed", "invalid-spec", {"invalid-spec": {}}),
    "sync-failed": Case("failed", "operation-failed", {"sync-failed": {"message": "hook failed"}}),
    "other-image": Case("failed", "other-software", {"wrong-image": {}}),
    "prune-off": Case("failed", "prune", {"prune-off": {}}),
    "drift": Case("failed", "out-of-sync", {"drift": {}}),
    "wipe-out": Case("failed", "sync-error", {"wipe-out": {}}),
    "deleted": Case("failed", "being-deleted", {"deleting": {}}),
    "aborted-canary": Case(
        "failed",
        "canary-aborted",
        {"object-health": {"object": "Rollout", "message": "RolloutAborted: aborted"}},
    ),
    "token-expired": Case("stop", "token-expired", {"401": {}}),
    "sso-page": Case("stop", "missing-permission", {"sso-redirect": {}}),
    "no-connection": Case("stop", "unreachable", {"repo-server-down": {}}),
    "suspended": Case("timeout", "suspended", {"suspended": {}}),
    "shut-window": Case(
        "timeout", "sync-window", {"sync-window": {"window": "allow", "schedule": "0 3 1 1 *"}}
    ),
    "paused-canary": Case(
        "timeout", "canary", {"object-health": {"object": "Rollout", "status": "Suspended"}}
    ),
    "old-pod-by-tag": Case(
        "timeout", "old-pods", {"old-pod": {"image": f"{SHOP}:v1.0.0", "digest": LONG_AGO}}
    ),
    "old-pod-by-digest": Case(
        "timeout", "old-pods", {"old-pod": {"image": f"{SHOP}@{LONG_AGO}", "digest": LONG_AGO}}
    ),
    "auto-sync-off": Case("timeout", "auto-sync-off", {"auto-sync-off": {}}),
}


class Ended(NamedTuple):
    """How a gate ended, and what the service answered then."""

    outcome: Rollout | Stop
    answered: str


class Night:
    """One stand-in with an Application for each case; every gate waits at the same time."""

    def __init__(self, world: World, argo: ArgoCD, images: Mapping[str, str]) -> None:
        self.world, self.argo = world, argo
        self.images = (Image(reference=SHOP, digest=images["1.1.0"]),)
        here = f"{world.host}/acme/shop"
        family = pods.family(Client(frozenset({world.host})), [Image(reference=here, digest=images["1.1.0"])])
        self.related: pods.Relatives = lambda _, running: family(here, running)

    def pin(self, names: Mapping[str, str]) -> None:
        texts = {n: APPLICATION.format(name=n, version=v, greeting="hi") for n, v in names.items()}
        self.world.push({f"deploy/argocd/{name}.yaml": text for name, text in texts.items()})
        self.argo.poke()

    def gate(self, name: str, timeout: float, **more: Any) -> Rollout:
        source = argocd.ArgoCD(self.argo.url, self.argo.token)

        def judged(application: str) -> Judgement:
            return pods.look(source, application, self.images, ("v1.1.0",), self.related).judgement

        order = Order(
            environment="staging",
            names=(name,),
            timeout=timeout,
            commit=lambda *_: "current",
            pods=judged,
        )
        given = {"settle": SETTLE, "patience": PATIENCE, "degraded_after": DEGRADED, "canary": SHORT, **more}
        chart = "oci://ghcr.io/acme/charts/shop"
        return rollout.wait(
            source, Expected(version="1.1.0", chart=chart, chart_version="1.1.0", **given), order
        )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    root = tmp_path_factory.mktemp("night")
    with Registry(root / "registry") as registry:
        world = World(root, registry.host).begin()
        images = {version: world.release(version) for version in ("1.0.0", "1.1.0", "1.2.0")}
        names = [*CASES, "newer-pin"]
        first = {n: APPLICATION.format(name=n, version="1.0.0", greeting="hi") for n in names}
        world.push({f"deploy/argocd/{name}.yaml": text for name, text in first.items()})
        with ArgoCD(
            root / "argo",
            world.bare,
            registry_rewrite={"ghcr.io": world.host},
            interval=0.2,
            refresh_deadline=3.0,
        ) as argo:
            for name in names:
                argo.wait(
                    lambda d: d.get("status", {}).get("health", {}).get("status") == "Healthy", name, LONG
                )
            yield Night(world, argo, images)


def rolled_out(document: dict[str, Any]) -> bool:
    """Whether Argo CD synced the new version, and its workloads are no longer on their way."""
    status = document.get("status") or {}
    operation = status.get("operationState") or {}
    synced = (operation.get("syncResult") or {}).get("revision") == "1.1.0" and not document.get("operation")
    current = (status.get("sync") or {}).get("revision") == "1.1.0"
    return synced and current and status["health"]["status"] not in ("Progressing", "Missing")


def out_of_sync(document: dict[str, Any]) -> bool:
    """Whether Argo CD compared the new version and does not sync it."""
    sync = (document.get("status") or {}).get("sync") or {}
    return (sync.get("status"), sync.get("revision")) == ("OutOfSync", "1.1.0")


@pytest.fixture(scope="module")
def ended(night: Night) -> dict[str, Ended]:
    """Every case at once: faults, gates, then the pins move. What only waits is asked when the lab shows it."""

    def disturb(name: str, case: Case) -> None:
        while case.later and not any(f"/applications/{name}" in call for call in list(night.argo.calls)):
            time.sleep(0.05)
        for kind, options in case.faults.items():
            night.argo.fault(name, kind, **options)

    def one(name: str, case: Case) -> Ended:
        if case.later:
            threading.Thread(target=disturb, args=(name, case), daemon=True).start()
        try:
            limit = LONG
            if case.ends == "timeout":
                limit = MEDIUM if case.reason == "old-pods" else SHORT
                unsynced = case.reason in ("sync-window", "auto-sync-off")
                night.argo.wait(out_of_sync if unsynced else rolled_out, name, LONG)
            outcome: Rollout | Stop = night.gate(name, limit, **case.options)
        except Stop as stop:
            outcome = stop
        return Ended(outcome, requests.get(night.argo.front(name), timeout=30).text)

    for name, case in CASES.items():
        if not case.later:
            disturb(name, case)
    with ThreadPoolExecutor(len(CASES)) as pool:
        running: dict[str, Future[Ended]] = {n: pool.submit(one, n, case) for n, case in CASES.items()}
        night.pin(dict.fromkeys(CASES, "1.1.0"))
        return {name: future.result() for name, future in running.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_roll_out_ends_as_the_table_says(name: str, ended: dict[str, Ended]) -> None:
    case, (outcome, answered) = CASES[name], ended[name]
    if case.ends == "stop":
        assert isinstance(outcome, Stop), outcome
        assert outcome.reason == case.reason
        return
    assert isinstance(outcome, Rollout), outcome
    assert (outcome.outcome, outcome.reason) == (case.ends, case.reason), outcome
    if case.ends == "ready":
        assert (outcome.seen[0].revision, answered) == ("1.1.0", "1.1.0")
    if case.reason == "sync-window":
        assert "the next one opens at" in outcome.detail


def test_the_token_never_followed_a_redirect(night: Night, ended: dict[str, Ended]) -> None:
    assert ended["sso-page"].outcome
    assert night.argo.login_requests == []


def test_a_newer_pin_meanwhile_ends_the_wait(night: Night, ended: dict[str, Ended]) -> None:
    assert ended
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(night.gate, "newer-pin", LONG)
        night.pin({"newer-pin": "1.2.0"})
        assert running.result().outcome == "superseded"
