"""How a roll-out ends with each disturbance, in virtual time: nothing here depends on the machine.

`docs/gate.md` has the table of reasons; the lab plays the same disturbances in tests/lab/test_disturbances.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from stagegate.errors import Stop
from tests.gate.simulated import (
    BEFORE,
    FOREVER,
    GOOD,
    NEW,
    OTHER,
    PROGRESSING,
    SHOP,
    SYNC,
    Phase,
    Simulated,
    applied,
    condition,
    differs,
    failed_sync,
    health,
    old,
    out_of_sync,
    roll_out,
    running,
    thing,
    waited,
)

DENIED = {"error": "permission denied", "code": 7, "message": "permission denied"}
DOWN = {"error": "x", "code": 14, "message": "upstream is away"}
HPA = thing("HorizontalPodAutoscaler", "Degraded", "unable to get metrics for resource cpu")
NOT_FOUND = "failed to pull chart: registry.example.com/charts/shop:1.1.0: not found"
CACHED = "rpc error: code = Unknown desc = Manifest generation error (cached): charts/shop: app path does not exist"
NO_REPO_SERVER = 'code = Unavailable desc = dial tcp argocd-repo-server:8081: connect: connection refused"'
DEADLINE = 'Deployment "shop" exceeded its progress deadline'


def no_automation(document: Any) -> None:
    out_of_sync(document)
    document["spec"]["syncPolicy"] = {}


def deleting(document: Any) -> None:
    document["metadata"]["deletionTimestamp"] = "2026-01-05T12:00:00Z"


def foreign(document: Any) -> None:
    document["spec"]["source"]["repoURL"] = "ghcr.io/other/charts"


READY: dict[str, Simulated] = {
    "plain": Simulated(roll_out()),
    "no stream": Simulated(roll_out(), streams=False),
    "there already": Simulated([GOOD]),
    "stale document": Simulated(roll_out(begin=(Phase(1.0, old), Phase(40.0, applied, compared=False)))),
    "parent late": Simulated(roll_out(begin=(Phase(170.0, old), Phase(0.5, applied, compared=False)))),
    "lost refreshes": Simulated(roll_out(), lost=3),
    "health flap": Simulated(roll_out(Phase(1.0, new=True), Phase(1.0, PROGRESSING))),
    "degraded for 30 s": Simulated(
        roll_out(Phase(30.0, health("Degraded", "", thing("Deployment", "Degraded"))))
    ),
    "HPA without metrics for 100 s": Simulated(roll_out(Phase(100.0, health("Degraded", "", HPA)))),
    "comparison error for 20 s": Simulated(
        roll_out(begin=(*BEFORE, Phase(20.0, condition("ComparisonError", NOT_FOUND))))
    ),
    "an error that Argo CD remembers until a hard refresh": Simulated(
        roll_out(begin=(*BEFORE, Phase(60.0, condition("ComparisonError", CACHED), remembered=True)))
    ),
    "repo-server down for 60 s": Simulated(
        roll_out(begin=(*BEFORE, Phase(60.0, condition("ComparisonError", NO_REPO_SERVER))))
    ),
    "registry 429 for 200 s": Simulated(
        roll_out(begin=(*BEFORE, Phase(200.0, condition("ComparisonError", "toomanyrequests: 429"))))
    ),
    "invalid spec for 20 s": Simulated(
        roll_out(begin=(*BEFORE, Phase(20.0, condition("InvalidSpecError", "not permitted"))))
    ),
    "API server 403 for 20 s": Simulated(roll_out(Phase(20.0, answer=(403, DENIED)))),
    "argocd-server away for 60 s": Simulated(roll_out(Phase(60.0, answer=(None, "")))),
    "ingress 502 for 30 s": Simulated(roll_out(Phase(30.0, answer=(502, "<html>bad gateway</html>")))),
    "too many requests": Simulated(roll_out(Phase(10.0, answer=(429, DOWN)))),
    "a sync that fails twice and is retried": Simulated(
        roll_out(Phase(20.0, failed_sync("hook failed")), Phase(10.0, running))
    ),
    "out of sync for a minute before the sync begins": Simulated(
        roll_out(sync=(Phase(60.0, out_of_sync), Phase(0.2, differs()), *SYNC))
    ),
    "another chart for 20 s": Simulated(roll_out(begin=(Phase(20.0, foreign), *BEFORE))),
    "a shut window for 15 min": Simulated(roll_out(sync=(Phase(900.0, out_of_sync), *SYNC))),
    "a deadline of the release before": Simulated(
        roll_out(Phase(5.0, health("Degraded", "", thing("Deployment", "Degraded", DEADLINE))))
    ),
}
FAILED: dict[str, tuple[str, float, Simulated]] = {
    "degraded for good": (
        "degraded",
        150.0,
        Simulated(roll_out(Phase(FOREVER, health("Degraded", "", thing("Deployment", "Degraded"))))),
    ),
    "HPA without metrics": (
        "degraded",
        150.0,
        Simulated(roll_out(Phase(FOREVER, health("Degraded", "", HPA)))),
    ),
    "past its deadline": (
        "degraded",
        40.0,
        Simulated(
            roll_out(Phase(FOREVER, health("Degraded", "", thing("Deployment", "Degraded", DEADLINE))))
        ),
    ),
    "an image that is not there": (
        "degraded",
        150.0,
        Simulated(
            roll_out(Phase(FOREVER, PROGRESSING)), stuck=("ImagePullBackOff", "shop:v1.1.0: not found")
        ),
    ),
    "chart not found": (
        "comparison-error",
        40.0,
        Simulated([*BEFORE, Phase(FOREVER, condition("ComparisonError", NOT_FOUND))]),
    ),
    "invalid spec": (
        "invalid-spec",
        330.0,
        Simulated([*BEFORE, Phase(FOREVER, condition("InvalidSpecError", "not permitted"))]),
    ),
    "a failed sync": (
        "operation-failed",
        330.0,
        Simulated(roll_out(Phase(FOREVER, failed_sync("hook failed")))),
    ),
    "wipe-out": (
        "sync-error",
        60.0,
        Simulated(
            [*BEFORE, Phase(FOREVER, condition("SyncError", "auto-sync will wipe out all", "OutOfSync"))]
        ),
    ),
    "prune off": ("prune", 60.0, Simulated(roll_out(Phase(FOREVER, differs(requiresPruning=True))))),
    "drift without self-heal": ("out-of-sync", 60.0, Simulated(roll_out(Phase(FOREVER, differs())))),
    "deleted": ("being-deleted", 10.0, Simulated(roll_out(Phase(FOREVER, deleting)))),
    "another chart": ("wrong-source", 60.0, Simulated([Phase(FOREVER, foreign)])),
    "another image under the tag": (
        "other-software",
        60.0,
        Simulated(roll_out(), pod=(f"{SHOP}:v{NEW}", f"{SHOP}@{OTHER}")),
    ),
    "an aborted Rollout": (
        "canary-aborted",
        60.0,
        Simulated(
            roll_out(
                Phase(
                    FOREVER,
                    health("Degraded", "", thing("Rollout", "Degraded", "RolloutAborted: update aborted")),
                )
            )
        ),
    ),
    "a failed Canary": (
        "canary-aborted",
        60.0,
        Simulated(
            roll_out(Phase(FOREVER, health("Degraded", "", thing("Canary", "Degraded", "Failed --- x"))))
        ),
    ),
}


class Late(NamedTuple):
    """A wait that ends with its timeout: the reason, a word of the detail, and the failing object."""

    reason: str
    word: str
    world: Simulated
    failing: bool = False


NIGHT = {"assignedWindows": [{"kind": "allow", "schedule": "0 3 * * *", "duration": "1h"}]}
LATE: dict[str, Late] = {
    "auto-sync off": Late(
        "auto-sync-off", "sync the Application by hand", Simulated([*BEFORE, Phase(FOREVER, no_automation)])
    ),
    "shut window": Late(
        "sync-window", "opens at", Simulated([*BEFORE, Phase(FOREVER, out_of_sync)], windows=NIGHT)
    ),
    "suspended": Late("suspended", "Suspended", Simulated(roll_out(Phase(FOREVER, health("Suspended"))))),
    "slow": Late("progressing", "replicas", Simulated(roll_out(Phase(FOREVER, PROGRESSING)))),
    "crash loop": Late(
        "progressing",
        "CrashLoopBackOff",
        Simulated(roll_out(Phase(FOREVER, PROGRESSING)), stuck=("CrashLoopBackOff", "back-off 40s")),
        failing=True,
    ),
    "pin never applied": Late("pin-not-applied", "1.0.0", Simulated([Phase(FOREVER, old)])),
    "old pod by tag": Late(
        "old-pods", "v1.0.0", Simulated(roll_out(), pod=(f"{SHOP}:v1.0.0", f"{SHOP}@{OTHER}"))
    ),
    "old pod by digest": Late(
        "old-pods", OTHER, Simulated(roll_out(), pod=(f"{SHOP}@{OTHER}", f"{SHOP}@{OTHER}"))
    ),
    "missing": Late("missing", "Missing", Simulated(roll_out(Phase(FOREVER, health("Missing"))))),
}


@pytest.mark.parametrize("name", READY)
def test_an_application_is_ready_only_after_it_becomes_good(name: str) -> None:
    found, seconds = waited(READY[name])
    assert (found.outcome, found.seen[0].revision) == ("ready", NEW), found
    begun = sum(phase.seconds for _, _, phase in READY[name]._phases[:-1])
    assert begun + 5 <= seconds <= begun + 30, f"it was good after {begun} s"


@pytest.mark.parametrize("name", FAILED)
def test_a_state_that_waiting_cannot_fix_fails_with_its_reason(name: str) -> None:
    reason, within, world = FAILED[name]
    found, seconds = waited(world)
    assert (found.outcome, found.reason) == ("failed", reason), found
    assert seconds <= within


@pytest.mark.parametrize("name", LATE)
def test_a_timeout_names_what_it_waited_for(name: str) -> None:
    case = LATE[name]
    found, seconds = waited(case.world, timeout=200.0)
    assert (found.outcome, found.reason) == ("timeout", case.reason), found
    assert case.word in found.detail
    assert bool(found.failing) is case.failing
    assert 200.0 <= seconds <= 202.0


def test_a_broken_connection_of_argo_cd_gives_no_verdict() -> None:
    for message in (NO_REPO_SERVER, "toomanyrequests: 429", "Get https://r/v2/: x509: unknown authority"):
        with pytest.raises(Stop) as stopped:
            waited(Simulated([*BEFORE, Phase(FOREVER, condition("ComparisonError", message))]))
        assert stopped.value.reason == "unreachable"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((401, {"message": "invalid session: token is expired"}), "token-expired"),
        ((302, ""), "missing-permission"),
        ((200, "<html>log in</html>"), "missing-permission"),
        ((403, DENIED), "missing-permission"),
    ],
    ids=["token expired", "SSO redirect", "SSO page", "not allowed"],
)
def test_a_wrong_connection_to_argo_cd_stops_immediately(answer: Any, reason: str) -> None:
    with pytest.raises(Stop) as stopped:
        waited(Simulated([Phase(FOREVER, answer=answer)]))
    assert stopped.value.reason == reason


def test_an_argo_cd_that_stays_down_gives_no_verdict() -> None:
    with pytest.raises(Stop) as stopped:
        waited(Simulated(roll_out(Phase(FOREVER, answer=(None, "")))))
    assert stopped.value.reason == "unreachable"


def test_a_newer_pin_during_the_wait_ends_it() -> None:
    found, seconds = waited(Simulated([Phase(FOREVER, old)]), pins=((0.0, NEW), (30.0, "1.2.0")))
    assert (found.outcome, found.detail) == ("superseded", "the pin in Git now names 1.2.0")
    assert seconds < 60


def test_a_newer_pin_comes_before_a_verdict_that_is_no_pass() -> None:
    world = Simulated(roll_out(Phase(FOREVER, health("Degraded"))))
    assert waited(world, pins=((0.0, NEW), (50.0, "1.2.0")))[0].outcome == "superseded"


PAUSED = health("Suspended", "CanaryPauseStep", thing("Rollout", "Suspended", "CanaryPauseStep"))


def test_a_paused_canary_is_a_wait_of_its_own() -> None:
    """Two pauses longer than the timeout, which does not count them; `suspended: allow` does not make it pass."""
    paused = Phase(1500.0, PAUSED)
    found, seconds = waited(
        Simulated(roll_out(paused, Phase(10.0, PROGRESSING), paused)), accepts_suspended=True
    )
    assert found.outcome == "ready"
    assert seconds > 3000
    assert 2990 <= found.paused <= 3010


def test_a_canary_that_pauses_for_too_long_gives_no_verdict() -> None:
    found, seconds = waited(Simulated(roll_out(Phase(FOREVER, PAUSED))), canary=600.0)
    assert (found.outcome, found.reason, found.failing) == ("timeout", "canary", "")
    assert 600 <= seconds <= 620


def test_one_job_waits_for_a_part_of_a_canary() -> None:
    paused = Phase(3000.0, PAUSED)
    found, seconds = waited(Simulated(roll_out(paused)), canary_in_job=600.0)
    assert (found.outcome, found.reason) == ("paused", "canary")
    assert 600 <= seconds <= 620
    found, _ = waited(Simulated(roll_out(Phase(500.0, PAUSED))), canary_in_job=600.0)
    assert found.outcome == "ready"


def test_a_pause_that_began_before_this_job_counts_by_argo_cds_clock() -> None:
    """Five jobs of ten minutes each would otherwise wait for five times as long as a canary may take."""

    def earlier(document: Any) -> None:
        PAUSED(document)
        document["status"]["health"]["lastTransitionTime"] = "2026-01-05T11:00:00Z"

    world = Simulated([Phase(FOREVER, earlier, compared=False)])
    found, seconds = waited(world, canary=3600.0, canary_in_job=600.0)
    assert (found.outcome, found.reason) == ("timeout", "canary")
    assert seconds < 60


def test_the_phases_in_which_flagger_waits_are_a_canary_too() -> None:
    waiting = health("Unknown", "", thing("Canary", "Unknown", "WaitingPromotion --- x"))
    found, _ = waited(Simulated(roll_out(Phase(FOREVER, waiting))), canary=60.0)
    assert (found.reason, "WaitingPromotion" in found.detail) == ("canary", True)


def test_suspended_by_design_is_healthy_where_the_settings_say_so() -> None:
    resting = health("Suspended", "", thing("CronJob", "Suspended"))
    world = Simulated([*BEFORE, *SYNC, Phase(FOREVER, resting, new=True)])
    assert waited(world, accepts_suspended=True)[0].outcome == "ready"


def test_several_applications_are_one_environment() -> None:
    good, bad = Simulated(roll_out()), Simulated([Phase(FOREVER, old)])
    found, _ = waited(good, bad, minimum=1)
    assert (found.outcome, [seen.name for seen in found.seen]) == ("ready", ["shop-0"])
    assert found.detail.endswith("the gate did not wait for shop-1")
    found, _ = waited(Simulated(roll_out()), Simulated([Phase(FOREVER, old)]), timeout=60.0)
    assert (found.outcome, found.reason) == ("timeout", "pin-not-applied")


def made_by_a_set(document: Any) -> None:
    old(document)
    document["metadata"]["ownerReferences"] = [{"kind": "ApplicationSet", "name": "shops"}]


def test_an_application_of_a_set_names_the_interval_of_its_set() -> None:
    found, _ = waited(Simulated([Phase(FOREVER, made_by_a_set)]), timeout=100.0)
    assert (
        "ApplicationSet shops makes this Application. It reads Git every 180 s, next within 8" in found.detail
    )
    assert "webhook" in found.detail
