"""From checks to a verdict: required checks pass, no check is no pass, and missing facts are named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from stagegate.errors import VERDICTS, Stop
from stagegate.gate import facts, pods, trial, verdict
from stagegate.gate.comparing import Compared
from stagegate.gate.order import Order, Rollout
from stagegate.gate.plan import Ready
from stagegate.gate.trial import Seen, Trial
from stagegate.model import ApplicationSeen, Check, Image, Release
from stagegate.settings import ArgoCDSettings, Environment, GateSettings, KeepChecking
from tests.gate.argo_documents import single
from tests.gate.virtual import Clock

SHOP, DIGEST, OTHER = "ghcr.io/acme/shop", "sha256:" + "1" * 64, "sha256:" + "2" * 64
RELEASE = Release(
    app="shop", version="1.1.0", tag="v1.1.0", commit="a" * 40, images=(Image(reference=SHOP, digest=DIGEST),)
)
GOOD = Check(name="health", outcome="passed")


def concluded(*checks: Check, mode: verdict.Mode = "wait") -> str:
    found = verdict.conclude(RELEASE, "staging", verdict.KINDS[mode], checks, "octo-dev")
    assert found.reason in VERDICTS
    return found.reason


def check(name: str, outcome: Any, required: bool = True) -> Check:
    return Check(name=name, outcome=outcome, required=required, detail="because")


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        ([GOOD], "passed"),
        ([], "no-checks"),
        ([check("roll-out", "passed"), check("images", "passed"), check("content", "passed")], "no-checks"),
        ([check("a", "skipped", False), check("b", "unknown", False)], "no-checks"),
        ([GOOD, check("a", "failed")], "checks-failed"),
        ([GOOD, check("a", "skipped")], "checks-failed"),
        ([GOOD, check("a", "unknown")], "checks-failed"),
        ([GOOD, check("a", "failed", False)], "passed"),
        ([GOOD, check("keep-checking", "failed")], "checks-failed"),
        ([GOOD, check("images", "failed")], "image-moved"),
        ([GOOD, check("image-record", "failed")], "image-untested"),
        ([GOOD, check("image-record", "failed", False)], "passed"),
        ([GOOD, check("images", "unknown", False)], "passed"),
        ([GOOD, check("content", "failed")], "content-differs"),
        ([check("a", "failed"), check("images", "failed")], "image-moved"),
    ],
)
def test_every_required_check_passes_and_at_least_one_was_run(checks: Sequence[Check], reason: str) -> None:
    assert concluded(*checks) == reason


def test_adopting_needs_no_checks_but_the_right_images() -> None:
    assert concluded(check("roll-out", "passed"), mode="adopt") == "adopted"
    assert concluded(check("images", "failed"), mode="adopt") == "image-moved"


class Pods:
    """A source with one pod; `tree` and `live` tell whether the token may see it."""

    def __init__(self, digests: Sequence[str] = (DIGEST,), *, tree: bool = True, live: bool = True) -> None:
        self.digests, self.may_tree, self.may_live = iter(digests), tree, live
        self.last = digests[-1]

    def application(self, name: str, *, refresh: str = "") -> dict[str, Any]:  # noqa: ARG002
        return single()

    def watch(self, name: str) -> Iterator[dict[str, Any]]:  # noqa: ARG002
        yield single()

    def tree(self, name: str) -> dict[str, Any]:  # noqa: ARG002
        if not self.may_tree:
            raise Stop("missing-permission", "no", "no", "no")
        return {
            "nodes": [{"kind": "Pod", "name": "shop-1", "images": [f"{SHOP}:v1.1.0"]}, {"kind": "ReplicaSet"}]
        }

    def resource(self, name: str, node: Any) -> dict[str, Any]:  # noqa: ARG002
        if not self.may_live:
            raise Stop("missing-permission", "no", "no", "no")
        self.last = next(self.digests, self.last)
        return {
            "spec": {"containers": [{"name": "app", "image": f"{SHOP}:v1.1.0"}]},
            "status": {
                "phase": "Running",
                "containerStatuses": [{"name": "app", "imageID": f"{SHOP}@{self.last}"}],
            },
        }

    def manifests(self, name: str, document: Any = None) -> list[dict[str, Any]]:  # noqa: ARG002
        return []

    def managed_resources(self, name: str) -> list[dict[str, Any]]:  # noqa: ARG002
        return []

    def application_set(self, name: str) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def sync_windows(self, name: str) -> dict[str, Any]:  # noqa: ARG002
        return {}


def related(_: str, digest: str) -> bool:
    return digest == DIGEST


def ready(order: Order) -> Rollout:
    """A wait that ends immediately with the result of the look at the pods."""
    judged = order.pods("shop")
    word: Any = "ready" if judged.reason == "ready" else "failed"
    seen = (ApplicationSeen(source="api", name="shop"),)
    return Rollout(outcome=word, reason=judged.reason, detail="", seen=seen, documents=(single(),))


def run(
    source: Pods,
    *,
    checks: Sequence[Sequence[Check]] = ((GOOD,),),
    moved: str = "",
    wait: Any = ready,
    images: Sequence[str] = (),
    allowed: Sequence[str] = (),
    kind: Any = "rollout",
    clock: Clock | None = None,
    **gate: Any,
) -> Seen:
    rounds = iter(checks)
    last = checks[-1]
    clock = clock or Clock()
    order = Order(
        environment="staging",
        names=("shop",),
        timeout=20.0,
        commit=lambda *_: "current",
        pods=lambda _: Ready(),
    )
    compared = Compared(check=Check(name="content", outcome="passed"), images=tuple(images))
    return trial.run(
        Trial(
            release=RELEASE, environment="staging", kind=kind, actor="octo-dev", gate=GateSettings(**gate),
            timeout=20.0, source=source, order=order, tags=("v1.1.0",),
            claims=("v1.1.0",), allowed=tuple(allowed), relatives=related, wait=wait,
            scenarios=lambda _: tuple(next(rounds, last)), moved=lambda: moved, compare=lambda _: compared,
        ),
        trial.Clock(now=clock, sleep=clock.sleep),
    )  # fmt: skip


def outcome(seen: Seen) -> tuple[str, str]:
    (images,) = [c for c in seen.checks if c.name == "images"] or [Check(name="images", outcome="unknown")]
    return seen.conclusion.reason, images.outcome


def test_digests_are_proven_before_and_after_the_checks() -> None:
    assert outcome(run(Pods())) == ("passed", "passed")
    assert outcome(run(Pods([DIGEST, OTHER]))) == ("image-moved", "failed")
    assert outcome(run(Pods(), moved="the tag is another by now")) == ("image-moved", "failed")


def test_pods_with_other_content_under_the_tag_are_never_ready() -> None:
    seen = run(Pods([OTHER]))
    assert (seen.conclusion.reason, seen.conclusion.outcome) == ("content-differs", "failed")


@pytest.mark.parametrize("source", [Pods(live=False), Pods(tree=False)], ids=["no-live-pods", "no-tree"])
def test_pods_without_permission_count_by_tag_and_strict_digests_refuses_them(source: Pods) -> None:
    seen = run(source)
    assert outcome(seen) == ("passed", "unknown")
    assert "only by tag" in next(c.detail for c in seen.checks if c.name == "images")
    with pytest.raises(Stop) as stopped:
        run(source, strict_digests=True)
    assert stopped.value.reason == "image-untested"


def test_keep_checking_allows_as_many_errors_as_the_settings_say() -> None:
    bad = (check("health", "failed"),)
    again = KeepChecking(for_="2s", every="1s", allowed_errors=1)
    assert run(Pods(), checks=[(GOOD,), bad, (GOOD,)], keep_checking=again).conclusion.reason == "passed"
    seen = run(Pods(), checks=[(GOOD,), bad, bad], keep_checking=again)
    assert seen.conclusion.reason == "checks-failed"
    (found,) = [c for c in seen.checks if c.name == "keep-checking"]
    assert (found.seconds, found.detail) == (
        2.0,
        "2 rounds, 2 with errors (1 allowed); last: health: because",
    )


WORKER = "ghcr.io/acme/worker"


def test_an_image_with_the_tag_of_the_release_that_it_does_not_record_is_untested() -> None:
    seen = run(Pods(), images=(f"{SHOP}:v1.1.0", f"{WORKER}:v1.1.0", "redis:1.1.0"))
    assert seen.conclusion.reason == "image-untested"
    assert f"{WORKER}:v1.1.0" in seen.conclusion.message.why
    assert "redis" not in seen.conclusion.message.why, "its tag is not one that a release writes"
    assert run(Pods(), images=(f"{WORKER}:v1.1.0",), allowed=(WORKER,)).conclusion.reason == "passed"
    assert run(Pods(), images=(f"{WORKER}:v1.0.0",)).conclusion.reason == "passed"
    adopted = run(Pods(), images=(f"{WORKER}:v1.1.0",), kind="adopt")
    assert adopted.conclusion.reason == "adopted"
    assert {c.name: (c.outcome, c.required) for c in adopted.checks}["image-record"] == ("failed", False)


def late(reason: str, failing: str = "") -> Any:
    return lambda *_: Rollout(outcome="timeout", reason=reason, detail="so", seen=(), failing=failing)


def test_a_timeout_is_a_verdict_only_when_a_workload_of_the_release_was_failing() -> None:
    seen = run(Pods(), wait=late("progressing", "pod shop-1 does not start: CrashLoopBackOff"))
    assert (seen.conclusion.reason, seen.conclusion.outcome) == ("timeout", "failed")
    assert "CrashLoopBackOff" in seen.conclusion.message.why
    for reason in ("progressing", "pin-not-applied", "sync-window", "suspended", "canary"):
        with pytest.raises(Stop) as stopped:
            run(Pods(), wait=late(reason))
        assert (stopped.value.reason, reason in stopped.value.why) == ("timeout", True)


def test_a_canary_takes_no_time_from_the_checks() -> None:
    clock, left = Clock(), list[float]()

    def slow(order: Order) -> Rollout:
        clock.sleep(110.0)
        return msgspec.structs.replace(ready(order), paused=100.0)

    def checked(seconds: float) -> tuple[Check, ...]:
        left.append(seconds)
        return (GOOD,)

    given = Trial(
        release=RELEASE, environment="staging", kind="rollout", actor="octo-dev", gate=GateSettings(), timeout=20.0,
        source=Pods(), tags=("v1.1.0",), relatives=related, scenarios=checked, wait=slow,
        order=Order(environment="s", names=("shop",), timeout=20.0, commit=lambda *_: "current", pods=lambda _: Ready()),
        moved=lambda: "", compare=lambda _: Compared(check=Check(name="content", outcome="passed")),
    )  # fmt: skip
    assert trial.run(given, trial.Clock(now=clock, sleep=clock.sleep)).conclusion.reason == "passed"
    assert left == [10.0]


def environment(**argocd: Any) -> Environment:
    return Environment(name="staging", argocd=ArgoCDSettings(**argocd))


@pytest.mark.parametrize(("asked", "seconds"), [("", 1200.0), ("90s", 90.0), ("0s", 0.0), ("2h", 7200.0)])
def test_a_timeout_is_read_as_a_duration(asked: str, seconds: float) -> None:
    assert facts.timeout_of(environment(), asked) == seconds


@pytest.mark.parametrize("asked", ["10", "10abc", "-1s", "1e9s", "s", "99d", "٣s"])
def test_a_timeout_that_is_not_a_duration_is_refused(asked: str) -> None:
    with pytest.raises(Stop, match="timeout is"):
        facts.timeout_of(environment(), asked)


class Listing:
    """An Argo CD that knows Applications by their labels."""

    def applications(self, selector: str) -> list[dict[str, Any]]:
        names = [("shop-a", "argocd"), ("shop-b", ""), ("shop-a", "team-a")] if selector == "app=shop" else []
        return [{"metadata": {"name": name, "namespace": namespace}} for name, namespace in names]


def test_listed_and_selected_applications_are_judged() -> None:
    source: Any = Listing()
    assert facts.names(environment(applications=("shop-b", "x"), selector="app=shop"), source) == (
        "shop-b", "x", "shop-a", "team-a/shop-a",
    )  # fmt: skip
    with pytest.raises(Stop, match="no Application"):
        facts.names(environment(selector="app=nothing"), source)


def test_pods_of_other_apps_are_not_read() -> None:
    proof = pods.look(Pods(), "shop", (), ("v1.1.0",), related)
    assert (proof.proven, proof.by_tag, proof.judgement) == ((), (), Ready())
