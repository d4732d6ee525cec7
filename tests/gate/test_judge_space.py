"""The judge over a generated space of roll-outs: a small model of Git, Argo CD and a cluster that all lag.

The model keeps the facts that the gate cannot see (which pods are old) apart from those that Argo CD shows. The
properties: whatever happens in whatever order, `Ready` is never said while a pod could still be old or a sync may
still change something, nor before it stayed good for the settle time; and `Failed` is never said of what ran before
the release came, nor of a release that is ill for less long than it may be.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stagegate.argocd_app.status import read
from stagegate.gate.plan import (
    Failed,
    History,
    Judgement,
    Ready,
    Superseded,
    Waiting,
    judge,
    remember,
)
from stagegate.gate.rollout_reasons import REASONS
from tests.gate.argo_documents import COMMIT, at, expected, several

Json = dict[str, Any]
OLD, NEW, NEXT = "1.0.0", "1.1.0", "1.2.0"
PODS = 2
BLIND = 4.0  # seconds after a sync in which health may still be that of the old pods (shorter than settle)


@dataclass
class Model:
    """The facts, and the document that Argo CD would serve."""

    now: float = 0.0
    asked: str = OLD  # version in the live Application's spec
    deployed: str = OLD  # version in the Deployment
    pods: list[str] = field(default_factory=lambda: [OLD] * PODS)
    broken: bool = False
    ill_since: float = 0.0
    synced_at: float = -100.0
    blind: bool = False  # this Argo CD calls a Deployment healthy that nobody has looked at yet
    document: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        source = {"repoURL": "ghcr.io/acme/charts", "chart": "shop", "targetRevision": OLD}
        self.document = {
            "metadata": {"name": "shop"},
            "spec": {"project": "default", "source": source, "syncPolicy": {"automated": {}}},
            "status": {
                "operationState": {
                    "phase": "Succeeded", "startedAt": at(-200), "finishedAt": at(-199),
                    "syncResult": {"revision": OLD, "source": dict(source)},
                }
            },
        }  # fmt: skip
        self.compare()

    # --- events ----------------------------------------------------------------------------------

    def apply_pin(self, version: str = NEW) -> None:
        """Git has another version, and somebody applied the manifest."""
        self.asked = version
        self.document["spec"]["source"]["targetRevision"] = version

    def compare(self) -> None:
        """Argo CD reconciles: sync status and health are of this moment, and both get its time."""
        status, source = self.document["status"], self.document["spec"]["source"]
        before = status.get("health", {}).get("status")
        health = self._health()
        status["sync"] = {
            "status": "Synced" if self.deployed == self.asked else "OutOfSync",
            "revision": self.asked,
            "comparedTo": {"source": copy.deepcopy(source)},
        }
        since = at(self.now) if health != before else status["health"]["lastTransitionTime"]
        status["health"] = {"status": health, "lastTransitionTime": since}
        status["reconciledAt"] = at(self.now)
        self.document["metadata"].pop("annotations", None)

    def _health(self) -> str:
        if self.blind and self.now - self.synced_at < BLIND:
            return "Healthy"
        if any(pod != self.deployed for pod in self.pods):
            return "Progressing"
        return "Degraded" if self.broken else "Healthy"

    def request(self) -> None:
        """Auto-sync begins, if there is a difference."""
        if self.document["status"]["sync"]["status"] == "OutOfSync" and not self.running:
            self.document["operation"] = {"sync": self._wanted()}

    def begin(self) -> None:
        """The controller takes the operation up."""
        if wanted := self.document.pop("operation", None):
            self.document["status"]["operationState"] = {
                "phase": "Running", "startedAt": at(self.now), "operation": wanted,
            }  # fmt: skip

    def by_hand(self) -> None:
        """Somebody syncs a synced Application, for instance to run the hooks again."""
        if not self.running:
            self.document["operation"] = {"sync": self._wanted()}

    def _wanted(self) -> Json:
        return {"revision": self.asked}

    @property
    def syncs(self) -> bool:
        return self.running or "operation" in self.document

    @property
    def running(self) -> bool:
        return bool(self.document["status"]["operationState"]["phase"] == "Running")

    def put(self) -> None:
        """The manifests are applied; the pods are still the old ones."""
        if self.running:
            state = self.document["status"]["operationState"]
            self.deployed, self.synced_at = state["operation"]["sync"]["revision"], self.now

    def finish(self) -> None:
        """The operation ends, some time after what it applied."""
        if not self.running:
            return
        self.put()
        state = self.document["status"]["operationState"]
        revision = self.deployed
        source = {**self.document["spec"]["source"], "targetRevision": revision}
        state.update(
            phase="Succeeded", finishedAt=at(self.now), syncResult={"revision": revision, "source": source}
        )

    def replace(self) -> None:
        """Replace one old pod by one of the Deployment's version."""
        for index, pod in enumerate(self.pods):
            if pod != self.deployed:
                self.pods[index] = self.deployed
                return

    def turn(self) -> None:
        """The workload becomes degraded, or healthy again, and Argo CD shows it immediately."""
        self.broken, self.ill_since = not self.broken, self.now
        if not self.broken:
            self.compare()

    def roll(self) -> None:
        """The roll-out ends, as far as it has begun, and Argo CD sees it."""
        self.pods = [self.deployed] * PODS
        self.compare()

    def refresh(self) -> None:
        """Somebody asks for a refresh, which may get lost."""
        self.document["metadata"]["annotations"] = {"argocd.argoproj.io/refresh": "normal"}


PATH = ("apply_pin", "compare", "request", "begin", "put", "finish")
NOISE = (
    "compare",
    "look",
    "look",
    "look",
    "replace",
    "refresh",
    "turn",
    "request",
    "by_hand",
    "roll",
    "stay",
    "stay",
)
MOVES = tuple(step for step in NOISE if step not in ("look", "stay"))
waits = st.sampled_from([0.0, 0.4, 1.0, 3.0, 6.0])
noise = st.lists(st.tuples(st.sampled_from(NOISE), waits), max_size=6)
# The path of a roll-out, with anything in between and much at its end: without it hardly one example gets far.
roll_outs = st.tuples(*[noise for _ in PATH], st.lists(st.tuples(st.sampled_from(NOISE), waits), max_size=14))


class Gate:
    """Looks at the model the way the loop does."""

    def __init__(self) -> None:
        self.history = History()
        self.expected = expected(NEW, settle=5.0)
        self.good_since = math.inf

    def stay(self, model: Model) -> None:
        """Looks for a while, as the loop does, with a refresh at the end."""
        for seconds in (0.0, 2.0, 2.0, 2.0):
            model.now += seconds
            self.look(model)
        model.compare()
        self.look(model)

    def look(self, model: Model) -> Judgement:
        seen = read(copy.deepcopy(model.document))
        judged = judge(seen, self.expected, self.history, model.now)
        assert judged == judge(seen, self.expected, self.history, model.now)
        self.history = remember(self.history, seen, self.expected, model.now, refreshed=True)
        assert judged.reason in REASONS
        if isinstance(judged, Ready):
            assert set(model.pods) == {NEW}, f"ready at {model.now} with pods {model.pods}"
            assert model.deployed == model.asked == NEW
            assert not model.syncs, "a sync is requested or runs, and its hooks may still fail"
            assert model.now - self.good_since >= self.expected.settle, (
                "the release was good for too short a time"
            )
        elif judged.reason != "settling":
            self.good_since = math.inf
        self.good_since = min(self.good_since, model.now) if judged.reason == "settling" else self.good_since
        if isinstance(judged, Failed):
            assert model.deployed == NEW, (
                f"{judged.reason} at {model.now}, because of the software before the release"
            )
            ill = model.now - max(model.ill_since, model.synced_at)
            assert model.broken and ill >= self.expected.degraded_after, f"{judged} after {ill} s"
        return judged


@settings(max_examples=150, deadline=None)
@given(between=roll_outs, blind=st.booleans(), pause=waits)
def test_never_ready_while_a_pod_could_be_old(
    between: tuple[list[tuple[str, float]], ...], blind: bool, pause: float
) -> None:
    model, gate = Model(blind=blind), Gate()
    for name, others in zip((*PATH, "later"), between, strict=True):
        for step, seconds in [(name, pause), *others]:
            model.now += seconds
            if step in ("look", "stay"):
                getattr(gate, step)(model)
            elif step != "later":
                getattr(model, step)()
    finish(model, gate, broken=model.broken)


def finish(model: Model, gate: Gate, *, broken: bool) -> None:
    """After any events, a completed roll-out is told apart from one that stays broken."""
    model.apply_pin()
    for step in ("compare", "request", "begin", "put", "finish", "replace", "replace", "compare"):
        model.now += 1
        getattr(model, step)()
        judged = gate.look(model)
    for _ in range(12):
        model.now += 1
        model.compare()
        judged = gate.look(model)
        if not isinstance(judged, Waiting):
            break
    assert isinstance(judged, Failed if broken else Ready), judged


class ValuesModel(Model):
    """A release whose chart stays: only a commit of the values repository is new, and the spec never changes.

    Argo CD may compare against a head that it remembers, so `compared` lags behind `asked`.
    """

    def __post_init__(self) -> None:
        self.compared = OLD
        self.document = several(NEW, COMMITS[OLD])
        self.document["status"]["operationState"] |= {"startedAt": at(-200), "finishedAt": at(-199)}
        self.document["status"]["health"]["lastTransitionTime"] = at(-190)
        self.compare()

    def apply_pin(self, version: str = NEW) -> None:
        self.asked = version

    def compare(self) -> None:
        """Argo CD asks Git."""
        self.compared = self.asked
        self.recompare()

    def recompare(self) -> None:
        """Argo CD compares with the head that it remembers."""
        status = self.document["status"]
        before = status["health"]["status"]
        health = self._health()
        status["sync"]["status"] = "Synced" if self.deployed == self.compared else "OutOfSync"
        status["sync"]["revisions"] = [NEW, COMMITS[self.compared]]
        since = at(self.now) if health != before else status["health"]["lastTransitionTime"]
        status["health"] = {"status": health, "lastTransitionTime": since}
        status["reconciledAt"] = at(self.now)
        self.document["metadata"].pop("annotations", None)

    def request(self) -> None:
        if self.document["status"]["sync"]["status"] == "OutOfSync" and not self.running:
            self.document["operation"] = {"sync": self._wanted()}

    def _wanted(self) -> Json:
        return {"revisions": [NEW, COMMITS[self.compared]]}

    def put(self) -> None:
        if self.running:
            commit = self.document["status"]["operationState"]["operation"]["sync"]["revisions"][1]
            self.deployed = next(version for version, one in COMMITS.items() if one == commit)
            self.synced_at = self.now

    def finish(self) -> None:
        if not self.running:
            return
        self.put()
        result = {"revision": "", "revisions": [NEW, COMMITS[self.deployed]]}
        self.document["status"]["operationState"].update(
            phase="Succeeded", finishedAt=at(self.now), syncResult=result
        )


COMMITS = {OLD: "d" * 40, NEW: "b" * 40}


@settings(max_examples=100, deadline=None)
@given(between=roll_outs, blind=st.booleans(), pause=waits, lag=st.booleans())
def test_never_ready_while_a_pod_could_have_the_values_of_before(
    between: tuple[list[tuple[str, float]], ...], blind: bool, pause: float, lag: bool
) -> None:
    model, gate = ValuesModel(blind=blind), Gate()
    held = {f"github.com/acme/shop//@{COMMITS[OLD]}": "behind", COMMIT: "current"}
    gate.expected = expected(NEW, settle=5.0, commits=held)
    for name, others in zip((*PATH, "later"), between, strict=True):
        for step, seconds in [(name, pause), *others]:
            model.now += seconds
            if step in ("look", "stay"):
                getattr(gate, step)(model)
            elif step == "compare" and lag:
                model.recompare()
            elif step != "later":
                getattr(model, step)()
    finish(model, gate, broken=model.broken)


@settings(max_examples=100, deadline=None)
@given(
    before=st.lists(st.sampled_from((*PATH[1:], *MOVES)), max_size=20),
    seconds=st.sampled_from([0.5, 2.0]),
)
def test_a_newer_release_is_reported_immediately_and_always_afterwards(
    before: list[str], seconds: float
) -> None:
    model, gate = Model(), Gate()
    for step in before:
        model.now += seconds
        getattr(model, step)()
    model.apply_pin(NEXT)
    for step in ("compare", "request", "begin", "put", "finish", "replace", "replace", "compare"):
        assert isinstance(gate.look(model), Superseded)
        model.now += seconds
        getattr(model, step)()


def test_the_model_shows_synced_and_healthy_while_pods_are_old() -> None:
    """The property has a meaning only if the model shows Synced and Healthy while pods are old."""
    model = Model(blind=True)
    model.apply_pin()
    for step in ("compare", "request", "begin", "finish", "compare"):
        model.now += 1
        getattr(model, step)()
    status = model.document["status"]
    assert (status["sync"]["status"], status["sync"]["revision"], status["health"]["status"]) == (
        "Synced", NEW, "Healthy",
    )  # fmt: skip
    assert model.pods == [OLD, OLD]
    assert isinstance(Gate().look(model), Waiting)
