"""The wait against the stand-in for Argo CD: one Application for each thing that goes wrong, all at once."""

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
from stagegate.gate.look import Expected
from stagegate.gate.plan import Judgement
from stagegate.gate.rollout import Order, Rollout
from stagegate.model import Image
from tests.lab.argo_world import APPLICATION, World

SETTLE = 1.0
LONG, SHORT = 60.0, 18.0  # seconds; on a busy machine a roll-out takes ten


class Case(NamedTuple):
    """Faults put on the Application before the pin moves to `version`, and how long the gate waits."""

    faults: Mapping[str, Mapping[str, Any]] = {}
    timeout: float = LONG
    pinned: str = "1.1.0"
    version: str = "1.1.0"
    options: Mapping[str, Any] = {}


READY = {
    "plain": Case(),
    "stale": Case({"stale": {"seconds": 2.0}}),
    "lost-refresh": Case({"lost-refresh": {"times": 2}}),
    "flap-then-good": Case({"flap": {"good": 0.6, "pause": 0.8}}),
    "version-2": Case({"version-2": {}}),
    "ingress-502": Case({"502": {"seconds": 2.0}}),
    "busy-429": Case({"429": {"seconds": 1.5}}),
    "error-500": Case({"500": {"times": 2}}),
    "in-progress": Case({"precondition": {"seconds": 1.0}}),
    "no-stream": Case({"no-stream": {}}),
    "slow-stream": Case({"slow-stream": {"delay": 2.0}}),
    "stream-cut": Case({"stream-cut": {"events": 1}}),
    "parent-late": Case({"parent-stale": {"seconds": 2.0}}),
}
FAILED = {
    "degraded": ("degraded", Case({"degraded": {}})),
    "flap-then-bad": ("degraded", Case({"flap": {"good": 0.6, "pause": 0.5, "then": "Degraded"}})),
    "comparison": ("comparison-error", Case({"comparison-error": {"message": "chart not found"}})),
    "sync-failed": ("operation-failed", Case({"sync-failed": {"message": "hook failed"}})),
    "wrong-image": ("other-software", Case({"wrong-image": {}})),
    "wrong-source": (
        "wrong-source",
        Case({"live-spec": {"spec": {"source": {"repoURL": "ghcr.io/other/charts"}}}}),
    ),
}
LATE = {
    "auto-sync-off": ("auto-sync-off", Case({"auto-sync-off": {}}, SHORT)),
    "sync-window": ("sync-window", Case({"sync-window": {}}, SHORT)),
    "suspended": ("suspended", Case({"suspended": {}}, SHORT)),
    "progressing": ("progressing", Case({"progressing": {}})),
    "missing-status": ("no-status", Case({"missing-status": {}}, SHORT)),
    "not-applied": ("pin-not-applied", Case({"parent-stale": {}}, SHORT)),
}
NEWER = {
    "newer-pin": Case(pinned="1.2.0"),
    "range": Case(pinned="1.x"),
}
STOPS = {
    "token-dies": ("token-expired", Case({"401": {}})),
    "not-allowed": ("missing-permission", Case({"403": {}})),
    "login-page": ("missing-permission", Case({"sso-redirect": {}})),
}
CASES: dict[str, Case] = {
    **READY,
    **NEWER,
    **{name: case for table in (FAILED, LATE, STOPS) for name, (_, case) in table.items()},
}


class Ended(NamedTuple):
    """How a gate ended, what the service answered then, and how long after Argo CD showed it ready."""

    outcome: Rollout | Stop
    answered: str
    late: float


class Night:
    """One stand-in with an Application for each case; every gate waits at the same time."""

    def __init__(self, world: World, argo: ArgoCD, images: Mapping[str, str]) -> None:
        self.world, self.argo = world, argo
        self.images = {v: (Image(reference="ghcr.io/acme/shop", digest=d),) for v, d in images.items()}
        self.registry = Client(frozenset({world.host}))

    def pin(self, versions: Mapping[str, str]) -> None:
        texts = {n: APPLICATION.format(name=n, version=v, greeting="hi") for n, v in versions.items()}
        self.world.push({f"deploy/argocd/{name}.yaml": text for name, text in texts.items()})
        self.argo.poke()

    def related(self, version: str) -> pods.Relatives:
        """Digests are asked of the lab's registry, whatever host the manifests name."""
        here = f"{self.world.host}/acme/shop"
        family = pods.family(self.registry, [Image(reference=here, digest=self.images[version][0].digest)])
        return lambda _, running: family(here, running)

    def gate(self, name: str, case: Case, **more: Any) -> Rollout:
        source = argocd.ArgoCD(self.argo.url, self.argo.token)
        tags, related = (f"v{case.version}",), self.related(case.version)

        def judged(application: str) -> Judgement:
            return pods.look(source, application, self.images[case.version], tags, related).judgement

        order = Order(
            environment="staging",
            names=more.pop("names", (name,)),
            timeout=case.timeout,
            commit=lambda *_: "current",
            pods=judged,
            **more,
        )
        chart = "oci://ghcr.io/acme/charts/shop"
        expected = Expected(
            version=case.version,
            chart=chart,
            chart_version=case.version,
            settle=SETTLE,
            patience=5.0,
            degraded_after=SETTLE,
        )
        return rollout.wait(source, expected, order)


def shows_ready(document: dict[str, Any]) -> bool:
    """What readiness means to Argo CD: the pinned version is synced, healthy, and looked at after the sync."""
    status = document.get("status") or {}
    operation = status.get("operationState") or {}
    return (
        document["spec"]["source"]["targetRevision"] == status.get("sync", {}).get("revision") == "1.1.0"
        and status["sync"]["status"] == "Synced"
        and status["health"]["status"] == "Healthy"
        and operation.get("phase") == "Succeeded"
        and status["reconciledAt"] >= operation["finishedAt"]
    )


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    root = tmp_path_factory.mktemp("night")
    with Registry(root / "registry") as registry:
        world = World(root, registry.host).begin()
        images = {version: world.release(version) for version in ("1.0.0", "1.1.0", "1.2.0")}
        names = [*CASES, "pair-a", "pair-b", "last"]
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
                    lambda d: d.get("status", {}).get("health", {}).get("status") == "Healthy", name, 60
                )
            yield Night(world, argo, images)


@pytest.fixture(scope="module")
def ended(night: Night) -> dict[str, Ended]:
    """Every case at once: faults, gates, then the pins move."""
    shown: dict[str, float] = {}

    def see(name: str) -> None:
        night.argo.wait(shows_ready, name, LONG)
        shown[name] = time.monotonic()

    def one(name: str, case: Case) -> Ended:
        try:
            outcome: Rollout | Stop = night.gate(name, case)
        except Stop as stop:
            outcome = stop
        now = time.monotonic()
        answered = requests.get(night.argo.front(name), timeout=10).text
        return Ended(outcome, answered, now - shown.get(name, now))

    for name, case in CASES.items():
        for kind, options in case.faults.items():
            night.argo.fault(name, kind, **options)
    for name in READY:
        threading.Thread(target=see, args=(name,), daemon=True).start()
    with ThreadPoolExecutor(len(CASES)) as pool:
        running: dict[str, Future[Ended]] = {n: pool.submit(one, n, case) for n, case in CASES.items()}
        time.sleep(1.0)  # long enough to believe the old revision, which is Synced and Healthy
        assert not [n for n in READY if running[n].done()]
        night.pin({name: case.pinned for name, case in CASES.items()})
        return {name: future.result() for name, future in running.items()}


@pytest.mark.parametrize("name", READY)
def test_it_is_ready_only_when_the_service_answers_with_the_new_version(
    name: str, ended: dict[str, Ended]
) -> None:
    outcome = ended[name].outcome
    assert isinstance(outcome, Rollout), outcome
    assert (outcome.outcome, outcome.seen[0].revision) == ("ready", "1.1.0"), outcome
    assert ended[name].answered == "1.1.0"


@pytest.mark.parametrize("name", FAILED)
def test_what_waiting_cannot_cure_fails_with_its_reason(name: str, ended: dict[str, Ended]) -> None:
    outcome = ended[name].outcome
    assert isinstance(outcome, Rollout), outcome
    assert (outcome.outcome, outcome.reason) == ("failed", FAILED[name][0]), outcome
    assert outcome.seconds < LONG / 2


@pytest.mark.parametrize("name", LATE)
def test_a_time_out_says_what_it_waited_for(name: str, ended: dict[str, Ended]) -> None:
    outcome = ended[name].outcome
    assert isinstance(outcome, Rollout), outcome
    assert (outcome.outcome, outcome.reason) == ("timeout", LATE[name][0]), outcome


@pytest.mark.parametrize("name", NEWER)
def test_a_newer_release_ends_the_wait(name: str, ended: dict[str, Ended]) -> None:
    outcome = ended[name].outcome
    assert isinstance(outcome, Rollout), outcome
    assert (outcome.outcome, outcome.reason) == ("superseded", "superseded"), outcome


@pytest.mark.parametrize("name", STOPS)
def test_what_a_person_must_cure_stops_at_once(name: str, ended: dict[str, Ended]) -> None:
    outcome = ended[name].outcome
    assert isinstance(outcome, Stop), outcome
    assert outcome.reason == STOPS[name][0]


def test_the_token_never_followed_a_redirect(night: Night, ended: dict[str, Ended]) -> None:
    assert ended["login-page"].outcome
    assert night.argo.login_requests == []


def test_it_answers_within_a_second_of_readiness(night: Night) -> None:
    """Alone, so that the machine's load is not measured: readiness is good for the settle time."""
    shown: list[float] = []

    def see() -> None:
        night.argo.wait(shows_ready, "last", LONG)
        shown.append(time.monotonic())

    watcher = threading.Thread(target=see)
    watcher.start()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(night.gate, "last", Case())
        night.pin({"last": "1.1.0"})
        assert running.result().outcome == "ready"
        late = time.monotonic()
    watcher.join()
    # Argo CD's own times have whole seconds, so the settle time may round up by one.
    assert late - shown[0] - SETTLE < 2.0


def test_several_applications_are_one_environment(night: Night) -> None:
    both = ("pair-a", "pair-b")
    with ThreadPoolExecutor(2) as pool:
        night.pin({"pair-a": "1.1.0"})
        one = pool.submit(night.gate, "", Case(timeout=LONG), names=both, minimum=1)
        assert one.result().outcome == "ready"
        assert [seen.name for seen in one.result().seen] == ["pair-a"], "the checks leave the late one alone"
        assert one.result().detail.endswith("not waited for: pair-b")
        all_of_them = night.gate("", Case(timeout=2.0), names=both)
        assert (all_of_them.outcome, all_of_them.reason) == ("timeout", "pin-not-applied")
        night.pin({"pair-b": "1.1.0"})
        assert night.gate("", Case(), names=both).outcome == "ready"


def test_a_release_that_is_there_already_needs_no_event(night: Night, ended: dict[str, Ended]) -> None:
    assert ended["plain"].outcome
    began = time.monotonic()
    assert night.gate("plain", Case()).outcome == "ready"
    assert time.monotonic() - began < SETTLE + 2
