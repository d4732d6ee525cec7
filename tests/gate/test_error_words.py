"""Only Argo CD's errors about a missing chart, path or revision are final, after one hard refresh."""

from __future__ import annotations

from typing import Any

import pytest

from stagegate.argocd_app.status import read
from stagegate.errors import Stop
from stagegate.gate.error_words import does_not_exist, needs_hard_refresh
from stagegate.gate.following import Followers
from tests.gate.argo_documents import single
from tests.gate.simulated import BEFORE, FOREVER, Phase, Simulated, condition, roll_out, waited

SAID = "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = "
PULL = "`helm pull oci://registry.example.com/charts/shop --version 1.1.0 --destination /tmp/x` failed exit status 1: "
NOT_THERE = [
    PULL
    + 'Error: failed to perform "FetchReference" on source: registry.example.com/charts/shop:1.1.0: not found',
    PULL + "Error: registry.example.com:5000/charts/shop:1.1.0: not found",
    "cannot get digest for revision 1.1.0: ghcr.io/acme/charts/shop:1.1.0: not found",
    "GET https://r.example.com/v2/charts/shop/manifests/1.1.0: MANIFEST_UNKNOWN: manifest unknown; tag 1.1.0",
    'Error: chart "shop" version "1.1.0" not found in https://charts.example.com repository',
    'Error: chart "shop" matching 1.1.0 not found in shop index. (try "helm repo update"): no chart name found',
    "invalid revision: no version for constraints",
    "charts/shop: app path does not exist",
    "Unable to resolve 'v1.1.0' to a commit SHA",
    "`git fetch origin v1.1.0` failed exit status 128: fatal: couldn't find remote ref v1.1.0",
]
MAY_PASS = [
    "failed to list refs: repository not found",
    'namespaces "shop" not found',
    "could not find plugin supporting the given cmp: plugin not found",
    "open /tmp/x/deploy/values/staging.yaml: no such file or directory",
    "Error: registry.example.com/charts/shop:1.1.0: dial tcp: lookup registry.example.com: no such host",
    PULL + "Error: registry.example.com/charts/shop:1.1.0: unexpected status 429 Too Many Requests",
    PULL + "Error: failed to authorize: 403 Forbidden: ghcr.io/acme/charts/shop:1.1.0: not found",
    "unable to resolve 'v1.1.0' to a commit SHA: ssh: handshake failed: EOF",
    "/bin/sh: 1: kustomize: not found",
    "Manifest generation error (cached): charts/shop: app path does not exist",
]


def failing(message: str) -> Any:
    return condition("ComparisonError", SAID + message)


@pytest.mark.parametrize("message", NOT_THERE)
def test_a_missing_artifact_after_a_hard_refresh_fails_at_once(message: str) -> None:
    world = Simulated([*BEFORE, Phase(FOREVER, failing(message))])
    found, seconds = waited(world)
    assert (found.outcome, found.reason) == ("failed", "comparison-error")
    assert "even after a hard refresh" in found.detail
    assert len(world.hard_refreshes) == 1
    assert world.hard_refreshes[0] < seconds < world.hard_refreshes[0] + 3


@pytest.mark.parametrize("message", MAY_PASS)
def test_a_temporary_error_is_tolerated_even_if_it_mentions_a_missing_object(message: str) -> None:
    found, _ = waited(Simulated(roll_out(begin=(*BEFORE, Phase(250.0, failing(message))))))
    assert found.outcome == "ready"


def test_a_lost_hard_refresh_is_requested_again() -> None:
    world = Simulated([*BEFORE, Phase(22.0, failing(NOT_THERE[0])), Phase(9.0, answer=(502, "")), Phase(
        FOREVER, failing(NOT_THERE[0])
    )])  # fmt: skip
    found, seconds = waited(world)
    assert (found.outcome, found.reason) == ("failed", "comparison-error")
    assert seconds > 40


def test_an_artifact_that_is_published_during_a_hard_refresh_is_ready() -> None:
    """The artifact is missing for 26 s, and the hard refresh after 25 s gives another result."""
    first = Phase(26.5, failing(NOT_THERE[0]))
    second = Phase(30.0, failing("dial tcp 10.0.0.1:443: i/o timeout"))
    found, _ = waited(Simulated(roll_out(begin=(*BEFORE, first, second))))
    assert found.outcome == "ready"


def test_a_path_that_the_hydrator_writes_later_may_pass() -> None:
    document = single()
    failing("environments/staging: app path does not exist")(document)
    assert does_not_exist(read(document))
    document["spec"]["sourceHydrator"] = {"drySource": {"repoURL": "https://github.com/acme/shop"}}
    assert not does_not_exist(read(document))


def test_only_errors_about_missing_artifacts_are_final() -> None:
    document = single()
    failing(NOT_THERE[0])(document)
    document["status"]["conditions"].append(
        {"type": "ComparisonError", "message": "failed to load live state"}
    )
    assert not does_not_exist(read(document))
    assert not needs_hard_refresh(read(document))


def test_a_connection_error_is_not_final_even_if_it_mentions_a_missing_object() -> None:
    with pytest.raises(Stop):
        waited(Simulated([*BEFORE, Phase(FOREVER, failing(MAY_PASS[6]))]))


def test_a_hard_refresh_is_requested_once() -> None:
    asked: list[str] = []

    class Source:
        def application(self, name: str, *, refresh: str = "") -> dict[str, Any]:
            asked.append(refresh)
            return {"metadata": {"name": name}}

        def watch(self, name: str) -> Any:
            raise Stop("unreachable", f"no stream of {name}", "It is a test.", "Nothing.")

    source: Any = Source()
    news = Followers(source)
    try:
        news.begin(["shop"], "")
        news.ask("shop", hard=True)
        events: list[tuple[bool, bool]] = []
        while len(events) < 3:
            event = news.next(30.0)
            assert event is not None
            events.append((event.refreshed, event.hard))
            news.ask("shop")
    finally:
        news.stop()
    assert asked.count("hard") == events.count((True, True)) == 1
    assert asked.count("normal") >= 1
