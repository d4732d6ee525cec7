"""Evidence from records: a success counts only for exactly these digests, completed, and by an accepted account."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stagegate.clients.hub import ACTIONS_BOT, Deployment, DeploymentStatus
from stagegate.errors import Stop
from stagegate.evidence import records
from stagegate.evidence import verdict as evidence_verdict
from stagegate.evidence.verdict import Verdict
from stagegate.gate import apply, describe
from stagegate.gate import verdict as attempts
from stagegate.model import Actor, Chart, Check, Evidence, Image, Release, Skip, WorkflowRun, to_json

IMAGE, CHART = "ghcr.io/acme/shop", "oci://ghcr.io/acme/charts/shop"
BOT = ACTIONS_BOT
IMPOSTOR = Actor(kind="User", id=7, login="github-actions[bot]")


def digest(letter: str) -> str:
    return "sha256:" + letter * 64


def release(version: str = "1.1.0", image: str = "1", chart: str = "2", commit: str = "a" * 40) -> Release:
    return Release(
        app="shop",
        version=version,
        tag=f"v{version}",
        commit=commit,
        chart=Chart(reference=CHART, version=version, digest=digest(chart)),
        images=(Image(reference=IMAGE, digest=digest(image)),),
    )


def proof(
    of: Release, outcome: str = "passed", kind: str = "rollout", run: str = "1", **more: Any
) -> Evidence:
    return Evidence(
        kind=kind,  # type: ignore[arg-type]
        app=of.app,
        environment="staging",
        outcome=outcome,  # type: ignore[arg-type]
        reason={"failed": "checks-failed"}.get(outcome, outcome),
        version=of.version,
        tag=of.tag,
        commit=of.commit,
        chart=of.chart,
        images=of.images,
        started="2026-01-05T12:00:00Z",
        finished="2026-01-05T12:01:00Z",
        run=WorkflowRun(id=run),
        actor="octo-dev",
        **more,
    )


def deployment(number: int, what: Evidence | None, **more: Any) -> Deployment:
    """A deployment as GitHub would hold it, `number` minutes after noon, completed a second later."""
    made, done = f"2026-01-05T12:{number:02}:00Z", f"2026-01-05T12:{number:02}:01Z"
    state = records.deployment_state(what) if what else "success"
    status = DeploymentStatus(state=state, description="", created_at=done, creator=BOT, log_url="")
    given: dict[str, Any] = {
        "id": number,
        "sha": what.commit if what else "a" * 40,
        "task": "stagegate:shop",
        "environment": "staging",
        "payload": describe.payload(what) if what else {"schema": "stagegate/evidence/9"},
        "creator": BOT,
        "created_at": made,
        "statuses": (status,),
    }
    return Deployment(**{**given, **more})


def verdict(
    *deployments: Deployment, of: Release | None = None, accepted: tuple[Actor, ...] = (BOT,)
) -> Verdict:
    found = records.records(deployments, "shop", "staging", accepted)
    return evidence_verdict.of(found, of or release())


def test_no_record_is_never_a_pass() -> None:
    assert verdict().state == "none"
    assert verdict(deployment(1, proof(release("1.0.0")))).state == "none"


def test_the_newest_verdict_decides() -> None:
    passed, failed = proof(release()), proof(release(), "failed")
    assert verdict(deployment(1, passed)).state == "passed"
    assert verdict(deployment(1, failed)).state == "failed"
    assert verdict(deployment(1, passed), deployment(2, failed)).state == "revoked"
    assert verdict(deployment(2, passed), deployment(1, failed)).state == "passed"
    adopted, skip = proof(release(), "adopted", "adopt"), proof(release(), "skipped", "skip")
    assert verdict(deployment(1, passed), deployment(2, adopted)).state == "adopted"
    told = msgspec.structs.replace(skip, skip=Skip(reason="fire", actor="octo-lead"))
    said = verdict(deployment(1, passed), deployment(2, told))
    assert (said.state, said.detail) == ("skipped", "skipped by octo-lead: fire")
    assert [v.good for v in (verdict(deployment(1, passed)), said)] == [True, False]


def test_a_look_never_revokes() -> None:
    late = proof(release(), "failed", "look")
    assert verdict(deployment(1, proof(release())), deployment(2, late)).state == "passed"


@pytest.mark.parametrize("other", [{"image": "9"}, {"chart": "9"}, {"commit": "b" * 40}])
def test_other_digests_are_a_mismatch(other: dict[str, str]) -> None:
    tested = verdict(deployment(1, proof(release(**other))))
    assert tested.state == "mismatch"
    assert not tested.good


def test_an_additional_or_missing_image_is_a_mismatch() -> None:
    more = msgspec.structs.replace(
        release(), images=(*release().images, Image(reference="x/y", digest=digest("3")))
    )
    assert verdict(deployment(1, proof(release())), of=more).state == "mismatch"
    assert verdict(deployment(1, proof(more))).state == "mismatch"


def test_a_record_counts_only_with_its_own_deployment_status() -> None:
    inactive = DeploymentStatus(
        state="inactive", description="", created_at="2026-01-05T13:00:00Z", creator=BOT, log_url=""
    )
    whole = deployment(1, proof(release()))
    stranger = msgspec.structs.replace(whole.statuses[0], creator=IMPOSTOR)
    failure = msgspec.structs.replace(whole.statuses[0], state="failure")
    assert verdict(msgspec.structs.replace(whole, statuses=())).state == "none"
    assert verdict(msgspec.structs.replace(whole, statuses=(stranger,))).state == "none"
    assert verdict(msgspec.structs.replace(whole, statuses=(failure,))).state == "none"
    assert verdict(msgspec.structs.replace(whole, statuses=(inactive, *whole.statuses))).state == "passed"


@pytest.mark.parametrize(
    "forged",
    [
        {"creator": IMPOSTOR},
        {"creator": None},
        {"task": "stagegate:other"},
        {"task": "deploy"},
        {"environment": "prod"},
        {"sha": "b" * 40},
    ],
)
def test_a_deployment_of_another_account_is_no_record(forged: dict[str, Any]) -> None:
    assert verdict(deployment(1, proof(release()), **forged)).state == "none"


def test_under_protected_trust_only_the_app_counts() -> None:
    app = Actor(kind="Bot", id=900, login="stagegate-gate[bot]")
    written = deployment(1, proof(release()))
    by_app = msgspec.structs.replace(
        written, creator=app, statuses=(msgspec.structs.replace(written.statuses[0], creator=app),)
    )
    half = msgspec.structs.replace(written, creator=app)
    assert verdict(written, accepted=(app,)).state == "none"
    assert verdict(half, accepted=(app,)).state == "none"
    assert verdict(by_app, accepted=(app,)).state == "passed"


def test_an_unreadable_record_is_unknown_and_not_passed() -> None:
    assert verdict(deployment(1, proof(release())), deployment(2, None)).state == "unknown"
    assert verdict(deployment(2, proof(release())), deployment(1, None)).state == "passed"


def test_soak_counts_from_the_first_of_consecutive_passes() -> None:
    good = proof(release())
    assert verdict(deployment(1, good), deployment(3, good)).since == "2026-01-05T12:01:01Z"
    other = deployment(2, proof(release("1.2.0", commit="b" * 40)))
    assert verdict(deployment(1, good), other, deployment(3, good)).since == "2026-01-05T12:03:01Z"
    red = deployment(2, proof(release(), "failed"))
    assert verdict(deployment(1, good), red, deployment(3, good)).since == "2026-01-05T12:03:01Z"


def test_a_run_finds_only_its_own_unfinished_record_of_these_digests() -> None:
    whole = deployment(5, proof(release(), run="42"))
    half = msgspec.structs.replace(whole, statuses=())
    found = records.records((half,), "shop", "staging", (BOT,))
    assert attempts.unfinished(found, release(), "42", "rollout") is not None
    assert attempts.unfinished(found, release(), "43", "rollout") is None
    assert attempts.unfinished(found, release(), "", "rollout") is None
    assert attempts.unfinished(found, release(), "42", "look") is None
    assert attempts.unfinished(found, release(image="9"), "42", "rollout") is None
    done = records.records((whole,), "shop", "staging", (BOT,))
    assert attempts.unfinished(done, release(), "42", "rollout") is None


def test_an_unfinished_record_is_left_when_another_run_came_to_a_newer_verdict() -> None:
    half = deployment(1, proof(release(), run="7"), statuses=())
    overtaken = deployment(2, proof(release(), "failed", run="8"))
    alone = records.records([half], "shop", "staging", (BOT,))
    assert attempts.start(alone, release(), "7", "wait").do == "finish"
    both = records.records([half, overtaken], "shop", "staging", (BOT,))
    assert attempts.start(both, release(), "7", "wait").do == "run"


def test_evidence_stays_within_sixteen_kib() -> None:
    checks = tuple(Check(name=f"check {n}", outcome="passed", detail="x" * 400) for n in range(60))
    payload = describe.payload(proof(release(), checks=checks))
    assert len(to_json(payload)) <= describe.PAYLOAD_LIMIT
    assert records.decode(payload) is not None
    many = tuple(Image(reference=f"ghcr.io/acme/image-{n}", digest=digest("1")) for n in range(200))
    with pytest.raises(Stop, match="bytes long"):
        describe.payload(proof(msgspec.structs.replace(release(), images=many)))


@pytest.mark.parametrize(
    ("fails", "written"),
    [
        ("create_deployment", []),
        ("create_deployment_status", ["deployment"]),
        ("set_first_status", ["deployment", "deployment-status"]),
    ],
)
def test_a_record_that_cannot_be_completed_reports_what_was_written(fails: str, written: list[str]) -> None:
    class Hub:
        def __getattr__(self, name: str) -> Any:
            def call(*_: Any) -> Any:
                if name == fails:
                    raise Stop("server-error", "GitHub failed.", "It answered 500.", "Run it again.")
                return 7

            return call

    hub: Any = Hub()
    with pytest.raises(Stop) as stopped:
        apply.record(hub, proof(release()), "https://github.com/acme/shop/actions/runs/1", production=False)
    assert [change.kind for change in stopped.value.written] == written
