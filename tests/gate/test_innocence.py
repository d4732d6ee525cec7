"""A problem that the release did not cause gives no verdict, with Argo CD's own messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stagegate.errors import Stop
from tests.gate.simulated import (
    BEFORE,
    FOREVER,
    Phase,
    Simulated,
    applied,
    condition,
    failed_sync,
    health,
    old,
    roll_out,
    thing,
    waited,
)

Json = dict[str, Any]
MANIFEST = "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
INNOCENT = [
    'failed to fetch chart: Get "https://ghcr.io/v2/": EOF',
    'Get "https://ghcr.io/token": net/http: request canceled (Client.Timeout exceeded): context canceled',
    "unable to resolve 'v1.1.0': ssh: handshake failed: knownhosts: key mismatch",
    "failed to list refs: repository not found",
    "error creating SSH agent: SSH_AUTH_SOCK not specified: git@github.com: Permission denied (publickey)",
    "helm pull failed: 403 Forbidden",
    "error writing values: write /tmp/x: no space left on device",
    "Failed to load live state: failed to get cluster info: the server has asked for the client to provide credentials",
    "failed to sync cluster https://10.0.0.1: failed to load initial state of resource Secret",
    "etcdserver: request timed out",
    "x" * 400 + " dial tcp 10.0.0.1:443: connect: connection refused " + "y" * 400,
]
GUILTY = [
    "`helm template` failed exit status 1: Error: parse error at (shop/templates/x.yaml:10): unexpected EOF",
    "failed to unmarshal manifest: error converting YAML to JSON: yaml: line 9: could not find expected ':'",
    "Error: registry.example.com/charts/shop:1.1.0: not found",
    "charts/shop-503: app path does not exist, so it is not found",
    "`helm template` failed exit status 1: Error: values don't meet the specifications of the schema(s)",
]


@pytest.mark.parametrize("message", INNOCENT)
def test_a_connection_problem_of_argo_cd_gives_no_verdict(message: str) -> None:
    with pytest.raises(Stop) as stopped:
        waited(Simulated([*BEFORE, Phase(FOREVER, condition("ComparisonError", MANIFEST + message))]))
    assert stopped.value.reason == "unreachable"
    with pytest.raises(Stop):
        waited(Simulated([*BEFORE, Phase(FOREVER, condition("InvalidSpecError", message))]))


@pytest.mark.parametrize("message", GUILTY)
def test_a_release_that_cannot_be_rendered_fails(message: str) -> None:
    world = Simulated([*BEFORE, Phase(FOREVER, condition("ComparisonError", MANIFEST + message))])
    assert waited(world)[0].outcome == "failed"


@pytest.mark.parametrize(
    ("message", "innocent"),
    [
        ('failed calling webhook "mutate.istio.io": no endpoints available for service "istiod"', True),
        (
            'Patch "https://10.0.0.1/apis/apps/v1": dial tcp 10.0.0.1:443: i/o timeout (retried 5 times).',
            True,
        ),
        ("one or more objects failed to apply, reason: etcdserver: leader changed", True),
        ("w" * 500 + " the server is currently unable to handle the request", True),
        ("one or more objects failed to apply, reason: spec.selector: field is immutable", False),
        (
            'admission webhook "policy.example.com" denied the request: no such host is allowed: dial tcp',
            False,
        ),
        (
            "one or more synchronization tasks completed unsuccessfully, reason: Job was active too long",
            False,
        ),
    ],
)
def test_a_sync_that_the_cluster_could_not_accept_gives_no_verdict(message: str, innocent: bool) -> None:
    world = Simulated(roll_out(Phase(FOREVER, failed_sync(message))))
    if innocent:
        with pytest.raises(Stop, match="cannot reach"):
            waited(world)
    else:
        assert waited(world)[0].reason == "operation-failed"


def ill(change: Callable[[Json], None], *objects: Json) -> Callable[[Json], None]:
    """A document whose Application is Degraded by these objects, besides another change."""

    def changed(document: Json) -> None:
        change(document)
        health("Degraded", "", *objects)(document)

    return changed


SECRET = thing("ExternalSecret", "Degraded", "could not get secret")
NIGHTLY = thing("CronJob", "Degraded", "the last run failed")
HPA = thing("HorizontalPodAutoscaler", "Degraded", "FailedGetResourceMetric")
SHOP = thing("Deployment", "Degraded", "crash loop")


@pytest.mark.parametrize(
    ("before", "after", "innocent"),
    [
        ((SECRET,), (SECRET,), True),
        ((SECRET, NIGHTLY), (NIGHTLY,), True),
        ((), (SECRET,), False),
        ((SECRET,), (SECRET, NIGHTLY), False),
        ((SHOP,), (SHOP,), False),  # its pods are the release's own
        ((HPA,), (HPA,), False),  # its metrics are those of these pods
    ],
    ids=["the same", "one of two", "a new one", "one more", "a workload", "an autoscaler"],
)
def test_an_object_degraded_before_the_release_does_not_fail_it(
    before: tuple[Json, ...], after: tuple[Json, ...], innocent: bool
) -> None:
    begun = Phase(5.0, ill(old, *before) if before else old), Phase(0.5, applied, compared=False)
    world = Simulated(roll_out(Phase(FOREVER, ill(lambda _: None, *after)), begin=begun))
    if innocent:
        with pytest.raises(Stop) as stopped:
            waited(world)
        assert (stopped.value.reason, "before this release was deployed" in stopped.value.what) == (
            "unknown-state",
            True,
        )
    else:
        assert waited(world)[0].reason == "degraded"


def test_an_object_that_recovered_in_between_and_degrades_again_fails_the_release() -> None:
    def well(document: Json) -> None:
        old(document)
        health("Healthy", "", thing("ExternalSecret", "Healthy"))(document)

    begun = Phase(5.0, ill(old, SECRET)), Phase(3.0, well), Phase(0.5, applied, compared=False)
    world = Simulated(roll_out(Phase(FOREVER, ill(lambda _: None, SECRET)), begin=begun))
    assert waited(world)[0].reason == "degraded"
