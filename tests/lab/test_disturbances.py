"""A roll-out in the lab ends as docs/gate.md says with each disturbance: real processes, registry, client and streams.

How long each is endured is tried in virtual time in tests/gate/test_rollout.py. Here only the end counts, never how long
a busy machine takes to get there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from lab.argocd import ArgoCD, gitread
from lab.registry import Registry
from stagegate.argocd_app.status import Application, SourceSeen
from stagegate.clients import argocd
from stagegate.clients.registry import Registry as Client
from stagegate.errors import Stop
from stagegate.gate import pods, rollout
from stagegate.gate.expected import Commit, Expected
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Judgement
from stagegate.model import Image
from tests.lab.argo_world import APPLICATION, World

SETTLE, PATIENCE, DEGRADED = 1.0, 6.0, 4.0
LONG, SHORT = 240.0, 15.0  # seconds; the latter begins when the lab shows the state already
SHOP = "ghcr.io/acme/shop"
LONG_AGO = "sha256:" + "e" * 64


class Case(NamedTuple):
    """How a wait ends, with which reason, and the faults set on the Application before its pin moves.

    `values` are inline ones at the old and at the new version, `policy` is that of the automated sync. With `revision`
    the values file comes from Git, behind a `ref`: at the tag of the release, or at a branch.
    """

    ends: str
    reason: str
    faults: Mapping[str, Mapping[str, Any]] = {}
    options: Mapping[str, Any] = {}
    later: bool = False  # the faults begin after the first look of the gate
    values: tuple[str, str] = ("", "")
    policy: str = "{prune: true, selfHeal: true}"
    revision: str = ""
    before: str = "1.0.0"


CASES: dict[str, Case] = {
    "stale-document": Case("ready", "ready", {"stale": {"seconds": 2.0}}),
    "lost-refresh": Case("ready", "ready", {"lost-refresh": {"times": 2}}),
    "health-flap": Case("ready", "ready", {"flap": {"good": 0.6, "pause": 0.8}}),
    "degraded-for-a-while": Case(
        "ready", "ready", {"object-health": {"seconds": 2.0}}, {"degraded_after": LONG}
    ),
    "synced-by-hand": Case("ready", "ready", {"auto-sync-off": {"seconds": 2.0}}),
    "sync-tried-again": Case("ready", "ready", {"sync-failed": {"times": 1}}, {"patience": LONG}),
    "tag-behind-a-ref": Case("ready", "ready", revision="v{version}"),
    "tag-object-behind-a-ref": Case("ready", "ready", revision="v{version}"),
    "values-commit-only": Case("ready", "ready", revision="main", before="1.1.0"),
    "argocd-server-away": Case("ready", "ready", {"502": {"seconds": 2.0}}, {"patience": LONG}, later=True),
    "comparison-error-for-a-while": Case(
        "ready", "ready", {"comparison-error": {"seconds": 2.0}}, {"patience": LONG}
    ),
    "registry-429": Case(
        "ready", "ready", {"comparison-error": {"seconds": 2.0, "message": "429"}}, {"patience": LONG}
    ),
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
    "no-result": Case("failed", "operation-failed", {"no-result": {}}),
    "prune-off": Case("failed", "prune", values=("extra: true", ""), policy="{selfHeal: true}"),
    "drift": Case("failed", "out-of-sync", {"drift": {}}, policy="{prune: true}"),
    "wipe-out": Case("failed", "sync-error", values=("", "nothing: true")),
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
    "deny-window": Case("timeout", "sync-window", {"sync-window": {}}),
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
# Every recording of a real Argo CD that shows a disturbance, and the case in which the stand-in plays it.
PLAYED = {
    "allow-window-shut": "shut-window",
    "annotated-tags": "tag-behind-a-ref",
    "annotated-tags-argo-cd-3.0": "tag-object-behind-a-ref",
    "argocd-server-away-for-6-s": "argocd-server-away",
    "chart-not-there": "comparison-error",
    "crash-loop": "degraded-for-good",
    "deleted": "deleted",
    "deny-window-open": "deny-window",
    "hpa-without-metrics": "hpa-without-metrics",
    "kube-apiserver-away-for-12-s": "api-server-403",
    "newer-pin": "newer-pin",
    "presync-fails": "sync-failed",
    "project-forbids-for-15-s": "project-forbids",
    "prune-off": "prune-off",
    "renders-nothing": "wipe-out",
    "repo-server-away": "repo-server-down",
    "synced-by-hand": "synced-by-hand",
    "values-only": "values-commit-only",
}
UNDISTURBED = {"chart-moves", "native-oci", "nothing-changes", "old-pods-stop-slowly", "two-applications"}
GIT = "https://github.com/acme/shop.git"
BEHIND_A_REF = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  project: default
  destination: {{server: "https://kubernetes.default.svc", namespace: {name}}}
  sources:
    - repoURL: ghcr.io/acme/charts
      chart: shop
      targetRevision: "{version}"
      helm: {{releaseName: shop, valueFiles: [$values/values/{name}.yaml]}}
    - {{repoURL: {git}, targetRevision: {revision}, ref: values}}
  syncPolicy: {{automated: {policy}}}
"""


def files(name: str, version: str, *, moved: bool) -> dict[str, str]:
    """The Application of a case, and its values file where it has one."""
    case = CASES.get(name, Case("superseded", ""))
    if not case.revision:
        text = APPLICATION.format(name=name, version=version, greeting="hi")
        text = text.replace("{prune: true, selfHeal: true}", case.policy)
        indent = f"        {case.values[moved]}\n" if case.values[moved] else ""
        return {f"deploy/argocd/{name}.yaml": text.replace("  syncPolicy", f"{indent}  syncPolicy")}
    revision = case.revision.format(version=version)
    folder = "deploy/older" if name == "tag-object-behind-a-ref" else "deploy/argocd"
    text = BEHIND_A_REF.format(name=name, version=version, revision=revision, git=GIT, policy=case.policy)
    greeting = "moved" if moved else "hi"
    return {f"{folder}/{name}.yaml": text, f"values/{name}.yaml": f"greeting: {greeting}\n"}


class Ended(NamedTuple):
    """How a gate ended, and what the service answered then."""

    outcome: Rollout | Stop
    answered: str
    greeting: str


class Night:
    """A stand-in with an Application for each case, and an older one; every gate waits at the same time."""

    def __init__(self, world: World, argo: ArgoCD, older: ArgoCD, images: Mapping[str, str]) -> None:
        self.world, self.argo, self.older = world, argo, older
        self.tag: tuple[str, str] = ("", "")
        self.images = (Image(reference=SHOP, digest=images["1.1.0"]),)
        here = f"{world.host}/acme/shop"
        family = pods.family(Client(frozenset({world.host})), [Image(reference=here, digest=images["1.1.0"])])
        self.related: pods.Relatives = lambda _, running: family(here, running)

    def of(self, name: str) -> ArgoCD:
        return self.older if name == "tag-object-behind-a-ref" else self.argo

    def publish(self) -> None:
        """Tag the release, whose commit has the values of those that follow the tag."""
        tagged = {name: case for name, case in CASES.items() if "v{version}" in case.revision}
        self.world.push({f"values/{name}.yaml": "greeting: moved\n" for name in tagged})
        self.tag = self.world.tag("v1.1.0")

    def pin(self, names: Mapping[str, str]) -> None:
        moved = [files(name, version, moved=True) for name, version in names.items()]
        self.world.push({path: text for each in moved for path, text in each.items()})
        self.argo.poke()
        self.older.poke()

    def held(self, source: SourceSeen, application: Application) -> Commit:
        """What a commit of the values' repository contains."""
        file = f"{source.revision}:values/{application.name}.yaml"
        return "current" if b"moved" in gitread.git(self.world.bare, "show", file) else "behind"

    def gate(self, name: str, timeout: float, **more: Any) -> Rollout:
        source = argocd.ArgoCD(self.of(name).url, self.of(name).token)
        commit, tag = self.tag if "v{version}" in CASES.get(name, Case("", "")).revision else ("", "")

        leaps = [0.0]  # the time is over while old pods still run

        def judged(application: str) -> Judgement:
            found = pods.look(source, application, self.images, ("v1.1.0",), self.related).judgement
            leaps.append(2 * LONG if found.reason == "old-pods" and timeout == SHORT else 0.0)
            return found

        order = Order(
            environment="staging",
            names=(name,),
            timeout=LONG if CASES.get(name, Case("", "")).reason == "old-pods" else timeout,
            commit=self.held,
            pods=judged,
        )
        given = {"settle": SETTLE, "patience": PATIENCE, "degraded_after": DEGRADED, "canary": SHORT, **more}
        chart = "oci://ghcr.io/acme/charts/shop"
        release: dict[str, Any] = {
            "version": "1.1.0",
            "chart": chart,
            "chart_version": "1.1.0",
            "repositories": ("acme/shop",),
        }
        tags: dict[str, Any] = {"release_tag": "v1.1.0", "release_commit": commit, "release_tag_object": tag}
        expected = Expected(**release, **tags, **given)
        return rollout.wait(source, expected, order, clock=lambda: time.monotonic() + max(leaps))


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    root = tmp_path_factory.mktemp("night")
    with Registry(root / "registry") as registry:
        world = World(root, registry.host).begin()
        images = {version: world.release(version) for version in ("1.0.0", "1.1.0", "1.2.0")}
        names = {**{name: case.before for name, case in CASES.items()}, "newer-pin": "1.0.0"}
        first = [files(name, version, moved=False) for name, version in names.items()]
        world.push({path: text for each in first for path, text in each.items()})
        world.tag("v1.0.0")
        given: dict[str, Any] = {
            "registry_rewrite": {"ghcr.io": world.host}, "git_rewrite": {GIT: world.bare},
            "interval": 0.5, "refresh_deadline": 3.0, "retry_pause": 0.05,
        }  # fmt: skip
        older = {**given, "manifests": "deploy/older", "version": "3.0.19"}
        with (
            ArgoCD(root / "argo", world.bare, **given) as argo,
            ArgoCD(root / "older", world.bare, **older) as before,
        ):
            night = Night(world, argo, before, images)
            for name in names:
                night.of(name).wait(healthy, name, LONG)
            yield night


def healthy(document: dict[str, Any]) -> bool:
    """Whether Argo CD calls it healthy."""
    return bool(document.get("status", {}).get("health", {}).get("status") == "Healthy")


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
    """Every case at once: faults, gates, then the pins move. A case that only waits is read once it shows."""

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
                limit = SHORT
                unsynced = case.reason in ("sync-window", "auto-sync-off")
                night.argo.wait(out_of_sync if unsynced else rolled_out, name, LONG)
            outcome: Rollout | Stop = night.gate(name, limit, **case.options)
        except Stop as stop:
            outcome = stop
        front = night.of(name).front(name)
        texts = [requests.get(f"{front}{path}", timeout=30).text for path in ("", "/greeting")]
        return Ended(outcome, *texts)

    for name, case in CASES.items():
        if not case.later:
            disturb(name, case)
    night.publish()
    with ThreadPoolExecutor(len(CASES)) as pool:
        running: dict[str, Future[Ended]] = {n: pool.submit(one, n, case) for n, case in CASES.items()}
        night.pin(dict.fromkeys(CASES, "1.1.0"))
        return {name: future.result() for name, future in running.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_roll_out_ends_as_the_table_says(name: str, ended: dict[str, Ended]) -> None:
    case, (outcome, answered, greeting) = CASES[name], ended[name]
    if case.ends == "stop":
        assert isinstance(outcome, Stop), outcome
        assert outcome.reason == case.reason
        return
    assert isinstance(outcome, Rollout), outcome
    assert (outcome.outcome, outcome.reason) == (case.ends, case.reason), outcome
    if case.ends == "ready":
        revision, _, values = outcome.seen[0].revision.partition(", ")
        assert (revision, answered) == ("1.1.0", "1.1.0")
        assert bool(values) is bool(case.revision)
        assert greeting == ("moved" if case.revision else "hi")
    if name == "shut-window":
        assert "the next sync window opens at" in outcome.detail


def test_the_older_argo_cd_shows_the_tag_where_the_newer_shows_its_commit(
    night: Night, ended: dict[str, Ended]
) -> None:
    shown = [ended[name].outcome for name in ("tag-behind-a-ref", "tag-object-behind-a-ref")]
    assert [str(one.seen[0].revision) for one in shown if isinstance(one, Rollout)] == [
        f"1.1.0, {revision}" for revision in night.tag
    ]
    assert len(set(night.tag)) == 2


def test_every_recorded_disturbance_is_played() -> None:
    recordings = Path(__file__).parent.parent / "cases" / "argo" / "recordings"
    assert {file.stem for file in recordings.glob("*.jsonl")} == {*PLAYED, *UNDISTURBED}
    assert set(PLAYED.values()) <= {*CASES, "newer-pin"}


def test_the_token_never_followed_a_redirect(night: Night, ended: dict[str, Ended]) -> None:
    assert ended["sso-page"].outcome
    assert night.argo.login_requests == []


def test_a_newer_pin_during_the_wait_ends_it(night: Night, ended: dict[str, Ended]) -> None:
    assert ended
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(night.gate, "newer-pin", LONG)
        night.pin({"newer-pin": "1.2.0"})
        assert running.result().outcome == "superseded"
